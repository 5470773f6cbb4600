"""account-service killed in the middle of its work, and its events on their way."""

import asyncio

import httpx

from hack.dev.stack import Stack

from .conftest import Ledger, unique


async def test_killed_under_load_nothing_is_lost_or_doubled(stack: Stack, ledger: Ledger) -> None:
    payer, payee = await ledger.open(100_000), await ledger.open()
    payments = [unique("pay") for _ in range(300)]
    posted: set[str] = set()

    async def pay(payment: str) -> None:
        try:
            answer = await ledger.transfer(payer, payee, 100, payment=payment)
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            posted.add(payment)

    running = [asyncio.create_task(pay(payment)) for payment in payments]
    while len(posted) < 30:
        await asyncio.sleep(0.01)
    stack.processes.kill("account-service")
    await asyncio.gather(*running)
    told = len(posted)
    assert 30 <= told < len(payments)
    stack.start(["account-service"])
    await asyncio.gather(*(pay(payment) for payment in payments))

    assert posted == set(payments)
    assert await ledger.balance(payee) == (30_000, 0, 30_000)
    await ledger.check()


async def test_events_reach_kafka_in_sequence(ledger: Ledger) -> None:
    payer, payee = await ledger.open(100), await ledger.open()
    payment = unique("pay")
    await ledger.transfer(payer, payee, 1, payment=payment)
    async with asyncio.timeout(30):
        while not await ledger.database.fetchval(
            "SELECT published_at IS NOT NULL FROM accounts.outbox WHERE key = $1", payment
        ):
            await asyncio.sleep(0.1)
    gaps = await ledger.database.fetchval(
        "SELECT max(sequence) - count(sequence) FROM accounts.outbox WHERE sequence IS NOT NULL"
    )
    assert gaps == 0
