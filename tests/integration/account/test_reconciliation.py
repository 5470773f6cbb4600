"""The partner bank's book is compared with ours, and never obeyed."""

import asyncio

from hack.dev.identity import Identity
from hack.dev.stack import Stack

from .conftest import Ledger, unique
from .test_returns import give_back


async def order(stack: Stack, identity: Identity, ledger: Ledger, reference: str, amount: int) -> None:
    answer = await ledger.http.post(
        f"{stack.url('partner-bank-api')}/process-transfer",
        json={
            "reference": reference,
            "from_account": "ACC001",
            "to_account": "DE1",
            "routing_number": "1",
            "amount": amount,
            "currency": "USD",
        },
        headers={"Authorization": f"Bearer {identity.token('confirm-service')}"},
    )
    assert answer.status_code == 200


async def test_planted_differences_are_found_and_nothing_else(
    stack: Stack, identity: Identity, ledger: Ledger
) -> None:
    payer = await ledger.open(10_000_000)
    right, missing, rejected, amount, fee = (unique("pay") for _ in range(5))
    await order(stack, identity, ledger, right, 1_000)
    await order(stack, identity, ledger, rejected, 50_000_00)
    await order(stack, identity, ledger, amount, 999)
    await order(stack, identity, ledger, fee, 1_000)
    for payment, posted, charged in (
        (right, 1_000, 250),
        (missing, 1_000, 250),
        (rejected, 50_000_00, 0),
        (amount, 1_000, 250),
        (fee, 1_000, 0),
    ):
        await ledger.reserve(payer, posted, charged, payment=payment)
        await ledger.post(f"/holds/{payment}/post", {"bank_reference": payment})
    returns = await plant_returns(stack, identity, ledger, right)
    balance = await ledger.balance(payer)

    # Its loop waits up to 30 s between rounds; starting again makes it look now.
    stack.processes.kill("account-service")
    stack.start(["account-service"])
    async with asyncio.timeout(30):
        while True:
            rows = await ledger.database.fetch(
                """SELECT payment_id, difference FROM accounts.holds
                   WHERE payment_id = ANY($1) AND checked_at IS NOT NULL""",
                [right, missing, rejected, amount, fee],
            )
            backs = await ledger.database.fetch(
                """SELECT refund_id, difference FROM accounts.returns
                   WHERE refund_id = ANY($1) AND checked_at IS NOT NULL""",
                list(returns),
            )
            if len(rows) == 5 and len(backs) == len(returns):
                break
            await asyncio.sleep(0.1)
    assert {row["payment_id"]: row["difference"] for row in rows} == {
        right: None,
        missing: "the bank does not know it",
        rejected: "the bank says REJECTED",
        amount: "amount 1000 here, 999 there",
        fee: "fee 0 here, 250 there",
    }
    assert {row["refund_id"]: row["difference"] for row in backs} == returns
    assert await ledger.balance(payer) == balance
    await ledger.check()


async def plant_returns(
    stack: Stack, identity: Identity, ledger: Ledger, payment: str
) -> dict[str, str | None]:
    """Post returns of a payment, right and wrong ones; what is to be found of each."""
    expected: dict[str, str | None] = {}
    for at_bank, posted, found in (
        (100, 100, None),
        (None, 100, "the bank does not know it"),
        (2_000, 100, "the bank says REJECTED"),
        (99, 100, "amount 100 here, 99 there"),
    ):
        refund = unique("re")
        if at_bank is not None:
            answer = await ledger.http.post(
                f"{stack.url('partner-bank-api')}/process-return",
                json={
                    "reference": f"RET-{refund}",
                    "original_reference": payment,
                    "amount": at_bank,
                    "currency": "USD",
                },
                headers={"Authorization": f"Bearer {identity.token('confirm-service')}"},
            )
            assert answer.status_code == 200
        done = await give_back(ledger, payment, posted, refund)
        assert done.status_code == 200, done.text
        expected[refund] = found
    return expected


async def test_without_the_bank_the_ledger_stays_ready(stack: Stack, ledger: Ledger) -> None:
    stack.processes.kill("partner-bank-api")
    try:
        assert (await ledger.http.get("/ready")).status_code == 200
        health = await ledger.http.get("/health")
        assert health.status_code == 200
        assert health.json()["dependencies"] == {
            "database": "healthy",
            "kafka": "healthy",
            "partner-bank-api": "unhealthy",
        }
    finally:
        stack.start(["partner-bank-api"])
    assert (await ledger.http.get("/health")).json()["dependencies"]["partner-bank-api"] == "healthy"
