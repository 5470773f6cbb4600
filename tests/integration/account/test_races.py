"""Many at once: no double spending, no deadlock."""

import asyncio

from .conftest import Ledger, unique


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
