"""Many at once: no double spending, no deadlock, books right after every random history."""

import asyncio
import os
import random

from .conftest import Ledger, unique

SEED = int(os.environ.get("TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
OPERATIONS = int(os.environ.get("TEST_LEDGER_OPERATIONS", "2000"))


async def test_two_hundred_payments_with_funds_for_one(ledger: Ledger) -> None:
    for _ in range(3):
        payer, payee = await ledger.open(1_000), await ledger.open()
        answers = await asyncio.gather(*(ledger.transfer(payer, payee, 1_000) for _ in range(200)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200] + [402] * 199
        assert await ledger.balance(payer) == (0, 0, 0)
        assert await ledger.balance(payee) == (1_000, 0, 1_000)
    await ledger.check()


async def test_one_payment_a_hundred_times_at_once(ledger: Ledger) -> None:
    payer, payee = await ledger.open(1_000_000), await ledger.open()
    payment = unique("pay")
    answers = await asyncio.gather(*(ledger.transfer(payer, payee, 10, payment=payment) for _ in range(100)))
    assert {answer.content for answer in answers} == {answers[0].content}
    assert answers[0].status_code == 200
    assert await ledger.balance(payee) == (10, 0, 10)


async def test_one_payment_from_different_accounts_at_once(ledger: Ledger) -> None:
    payers = [await ledger.open(100) for _ in range(20)]
    payee = await ledger.open()
    payment = unique("pay")
    answers = await asyncio.gather(*(ledger.transfer(payer, payee, 100, payment=payment) for payer in payers))
    assert sorted(answer.status_code for answer in answers) == [200] + [422] * 19
    assert await ledger.balance(payee) == (100, 0, 100)
    await ledger.check()


async def test_to_and_fro_never_deadlocks(ledger: Ledger) -> None:
    left, right = await ledger.open(1_000_000), await ledger.open(1_000_000)
    pairs = [(left, right), (right, left)] * 150
    answers = await asyncio.gather(*(ledger.transfer(payer, payee, 1) for payer, payee in pairs))
    assert {answer.status_code for answer in answers} == {200}
    assert await ledger.balance(left) == await ledger.balance(right) == (1_000_000, 0, 1_000_000)


async def test_holds_and_payments_race_for_the_same_money(ledger: Ledger) -> None:
    payer, payee = await ledger.open(1_000), await ledger.open()
    answers = await asyncio.gather(
        *(ledger.reserve(payer, 800, 200, payment=unique("pay")) for _ in range(50)),
        *(ledger.transfer(payer, payee, 1_000) for _ in range(50)),
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [402] * 99
    await ledger.check()


async def test_posting_and_voiding_at_once_resolve_a_hold_once(ledger: Ledger) -> None:
    payer = await ledger.open(100_000)
    for _ in range(20):
        payment = unique("pay")
        await ledger.reserve(payer, 100, payment=payment)
        answers = await asyncio.gather(
            *(ledger.post(f"/holds/{payment}/post", {"bank_reference": "B"}) for _ in range(3)),
            *(ledger.post(f"/holds/{payment}/void") for _ in range(3)),
        )
        assert sorted(answer.status_code for answer in answers) == [200] * 3 + [409] * 3
    await ledger.check()


async def test_reserving_and_voiding_at_once_leaves_nothing_held(ledger: Ledger) -> None:
    payer = await ledger.open(100_000)
    for _ in range(20):
        payment = unique("pay")
        await asyncio.gather(
            ledger.reserve(payer, 100, payment=payment),
            ledger.post(f"/holds/{payment}/void"),
            ledger.reserve(payer, 100, payment=payment),
        )
        assert (await ledger.post(f"/holds/{payment}/void")).status_code == 200
    assert await ledger.balance(payer) == (100_000, 0, 100_000)


async def test_any_history_keeps_the_books(ledger: Ledger) -> None:
    """TEST_SEED repeats a history, TEST_LEDGER_OPERATIONS makes it longer."""
    print(f"TEST_SEED={SEED} TEST_LEDGER_OPERATIONS={OPERATIONS}")  # noqa: T201  to repeat a failure
    chance = random.Random(SEED)
    accounts = [await ledger.open(chance.randrange(0, 5_000)) for _ in range(8)]
    payments = [f"{SEED}-{unique('h')}" for _ in range(OPERATIONS // 6)]
    paid: dict[str, tuple[str, str]] = {}
    statuses: dict[int, int] = {}

    async def step() -> None:
        payer, payee = chance.sample(accounts, 2)
        payment, amount = chance.choice(payments), chance.randrange(1, 1_500)
        match chance.randrange(6):
            case 0 | 1:
                answer = await ledger.transfer(payer, payee, amount, payment=payment)
                if answer.status_code == 200:
                    paid[payment] = (payer, payee)
            case 2:
                answer = await ledger.reserve(payer, amount, 25, payment=f"{payment}-bank")
            case 3:
                body = {"bank_reference": "BNK"}
                answer = await ledger.post(f"/holds/{payment}-bank/post", body)
            case 4:
                answer = await ledger.post(f"/holds/{payment}-bank/void")
            case _:
                known = paid.get(payment, (payer, payee))
                refund = f"{payment}-r{chance.randrange(3)}"
                answer = await ledger.transfer(
                    known[1], known[0], amount, payment=payment, kind="refund", refund_id=refund
                )
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

    async def worker(count: int) -> None:
        for _ in range(count):
            await step()

    await asyncio.gather(*(worker(OPERATIONS // 16) for _ in range(16)))
    assert set(statuses) <= {200, 402, 404, 409, 422}
    assert statuses[200] > OPERATIONS // 10
    await ledger.check()
