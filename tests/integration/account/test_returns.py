"""Money that the partner bank has returned: once for each refund, never more than the payment."""

import asyncio
from typing import Any

import httpx

from .conftest import Ledger, unique


async def paid(ledger: Ledger, amount: int = 1_000, currency: str = "USD") -> tuple[str, str]:
    """A payer and a payment of theirs that the bank has carried out, with a fee of 25."""
    payer = await ledger.open(amount + 25, currency=currency)
    payment = unique("pay")
    reserved = await ledger.reserve(payer, amount, 25, payment=payment, currency=currency)
    assert reserved.status_code == 200, reserved.text
    assert (await ledger.post(f"/holds/{payment}/post", {"bank_reference": payment})).status_code == 200
    return payer, payment


async def give_back(
    ledger: Ledger, payment: str, amount: int, refund: str, currency: str = "USD", **more: Any
) -> httpx.Response:
    body = {
        "refund_id": refund,
        "amount": amount,
        "currency": currency,
        "bank_reference": f"RET-{refund}",
    }
    return await ledger.post(f"/holds/{payment}/returns", body | more)


async def test_parts_come_back_once_and_never_more_than_the_payment(ledger: Ledger) -> None:
    payer, payment = await paid(ledger)
    settlement = (await ledger.balance("internal.settlement.USD"))[0]
    refund = unique("re")
    first = await give_back(ledger, payment, 400, refund)
    assert first.status_code == 200, first.text
    assert (first.json()["kind"], first.json()["refund_id"]) == ("refund", refund)
    assert (await give_back(ledger, payment, 400, refund)).content == first.content
    assert await ledger.balance(payer) == (400, 0, 400)
    more = await give_back(ledger, payment, 601, unique("re"))
    assert (more.status_code, more.json()["code"]) == (409, "refund_exceeds_payment")
    assert (await give_back(ledger, payment, 600, unique("re"))).status_code == 200
    assert await ledger.balance(payer) == (1_000, 0, 1_000)
    assert (await ledger.balance("internal.settlement.USD"))[0] == settlement - 1_000
    await ledger.check()


async def test_at_once_no_more_than_the_payment(ledger: Ledger) -> None:
    payer, payment = await paid(ledger)
    answers = await asyncio.gather(*(give_back(ledger, payment, 300, unique("re")) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [409] * 17
    assert await ledger.balance(payer) == (900, 0, 900)


async def test_one_refund_at_once_is_posted_once(ledger: Ledger) -> None:
    payer, payment = await paid(ledger)
    refund = unique("re")
    answers = await asyncio.gather(*(give_back(ledger, payment, 300, refund) for _ in range(20)))
    assert {answer.content for answer in answers} == {answers[0].content}
    assert await ledger.balance(payer) == (300, 0, 300)


async def test_what_contradicts_the_payment_is_refused(ledger: Ledger) -> None:
    _, payment = await paid(ledger)
    _, other = await paid(ledger)
    refund = unique("re")
    assert (await give_back(ledger, payment, 10, refund)).status_code == 200
    for answer, code in (
        (await give_back(ledger, payment, 11, refund), "payment_mismatch"),
        (await give_back(ledger, payment, 10, refund, bank_reference="other"), "payment_mismatch"),
        (await give_back(ledger, other, 10, refund), "payment_mismatch"),
        (await give_back(ledger, payment, 10, unique("re"), currency="EUR"), "currency_mismatch"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    unknown = await give_back(ledger, unique("pay"), 1, unique("re"))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "payment_not_found")


async def test_a_payment_between_our_accounts_has_nothing_to_return(ledger: Ledger) -> None:
    payer, payee = await ledger.open(1_000), await ledger.open()
    payment = unique("pay")
    await ledger.transfer(payer, payee, 1_000, payment=payment)
    answer = await give_back(ledger, payment, 1_000, unique("re"))
    assert (answer.status_code, answer.json()["code"]) == (422, "payment_mismatch")
    assert await ledger.balance(payer) == (0, 0, 0)


async def test_a_held_payment_has_nothing_to_return(ledger: Ledger) -> None:
    payer = await ledger.open(1_000)
    payment = unique("pay")
    await ledger.reserve(payer, 500, payment=payment)
    answer = await give_back(ledger, payment, 500, unique("re"))
    assert (answer.status_code, answer.json()["code"]) == (404, "payment_not_found")


async def test_a_return_reaches_a_closed_account_in_its_currency(ledger: Ledger) -> None:
    payer, payment = await paid(ledger, 5_000, "JPY")
    await ledger.database.execute(
        "UPDATE accounts.accounts SET status = 'closed' WHERE account_number = $1", payer
    )
    assert (await give_back(ledger, payment, 5_000, unique("re"), currency="JPY")).status_code == 200
    assert await ledger.balance(payer) == (5_000, 0, 5_000)
    await ledger.check()


async def test_only_the_payments_service_posts_returns(ledger: Ledger) -> None:
    _, payment = await paid(ledger)
    answer = await ledger.post(f"/holds/{payment}/returns", _body(unique("re")), caller="api-gateway")
    assert (answer.status_code, answer.json()["code"]) == (403, "caller_not_allowed")


def _body(refund: str) -> dict[str, Any]:
    return {"refund_id": refund, "amount": 1, "currency": "USD", "bank_reference": "RET"}
