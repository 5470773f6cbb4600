"""POST /transfers: once for each payment, and every refusal by its code."""

import json
from typing import Any

import pytest

from .conftest import Ledger, unique


async def test_a_payment_moves_money_once(ledger: Ledger) -> None:
    payer, payee = await ledger.open(10_000), await ledger.open()
    payment = unique("pay")
    first = await ledger.transfer(payer, payee, 2_500, payment=payment)
    again = await ledger.transfer(payer, payee, 2_500, payment=payment)
    assert first.status_code == 200
    assert first.json()["payment_id"] == payment
    assert first.json()["kind"] == "payment"
    assert first.content == again.content
    found = await ledger.get(f"/transfers/{payment}", caller="confirm-service")
    assert found.content == first.content
    assert await ledger.balance(payer) == (7_500, 0, 7_500)
    assert await ledger.balance(payee) == (2_500, 0, 2_500)
    await ledger.check()


async def test_what_was_not_posted_is_not_found(ledger: Ledger) -> None:
    payer, payee = await ledger.open(10), await ledger.open()
    payment = unique("pay")
    assert (await ledger.transfer(payer, payee, 11, payment=payment)).status_code == 402
    answer = await ledger.get(f"/transfers/{payment}", caller="confirm-service")
    assert (answer.status_code, answer.json()["code"]) == (404, "payment_not_found")
    assert (await ledger.get(f"/transfers/{payment}", actor="cust_001")).status_code == 403


async def test_a_repeat_answers_also_when_the_money_is_gone(ledger: Ledger) -> None:
    payer, payee = await ledger.open(100), await ledger.open()
    payment = unique("pay")
    first = await ledger.transfer(payer, payee, 100, payment=payment)
    await ledger.database.execute(
        "UPDATE accounts.accounts SET status = 'frozen' WHERE account_number = $1", payer
    )
    again = await ledger.transfer(payer, payee, 100, payment=payment)
    assert (first.status_code, again.content) == (200, first.content)


@pytest.mark.parametrize("change", [{"amount": 101}, {"from_account": None}, {"to_account": None}])
async def test_the_same_payment_with_other_data_is_refused(ledger: Ledger, change: dict[str, Any]) -> None:
    payer, payee, third = await ledger.open(10_000), await ledger.open(), await ledger.open(10_000)
    payment = unique("pay")
    assert (await ledger.transfer(payer, payee, 100, payment=payment)).status_code == 200
    change = {name: value if value is not None else third for name, value in change.items()}
    answer = await ledger.transfer(payer, payee, change.pop("amount", 100), payment=payment, **change)
    assert (answer.status_code, answer.json()["code"]) == (422, "payment_mismatch")
    assert await ledger.balance(third) == (10_000, 0, 10_000)


async def test_each_refusal_has_its_code(ledger: Ledger) -> None:
    payer, payee, euros = await ledger.open(1_000), await ledger.open(), await ledger.open(currency="EUR")
    frozen, closed = await ledger.open(1_000), await ledger.open(1_000)
    for number, status in ((frozen, "frozen"), (closed, "closed")):
        await ledger.database.execute(
            "UPDATE accounts.accounts SET status = $2 WHERE account_number = $1", number, status
        )
    cases = [
        (payer, payee, 1_001, 402, "insufficient_funds", "from_account"),
        (payer, "NOSUCH", 1, 404, "account_not_found", "to_account"),
        ("NOSUCH", payee, 1, 404, "account_not_found", "from_account"),
        (payer, "internal.fees.USD", 1, 404, "account_not_found", "to_account"),
        ("internal.opening.USD", payee, 1, 404, "account_not_found", "from_account"),
        (frozen, payee, 1, 409, "account_frozen", "from_account"),
        (payer, frozen, 1, 409, "account_frozen", "to_account"),
        (closed, payee, 1, 409, "account_closed", "from_account"),
        (payer, euros, 1, 422, "currency_mismatch", "to_account"),
        (euros, payer, 1, 422, "currency_mismatch", "from_account"),
        (payer, payer, 1, 422, "self_transfer", "to_account"),
    ]
    for from_account, to_account, amount, expected, code, field in cases:
        answer = await ledger.transfer(from_account, to_account, amount)
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert (answer.status_code, body["code"], body["errors"][0]["field"]) == (expected, code, field)
    assert await ledger.balance(payer) == (1_000, 0, 1_000)
    await ledger.check()


async def test_only_the_owner_pays(ledger: Ledger) -> None:
    payer, payee = await ledger.open(1_000, customer="owner-1"), await ledger.open()
    body = {
        "payment_id": unique("pay"),
        "from_account": payer,
        "to_account": payee,
        "amount": 1,
        "currency": "USD",
    }
    stranger = await ledger.post("/transfers", body, actor="stranger")
    nobody = await ledger.post("/transfers", body | {"from_account": "NOSUCH"}, actor="stranger")
    assert (stranger.status_code, nobody.status_code) == (404, 404)
    for answer in (stranger, nobody):  # foreign and nonexistent look the same
        assert answer.json() | {"request_id": ""} == stranger.json() | {"request_id": ""}
    assert (await ledger.post("/transfers", body, actor="", role="auditor")).status_code == 403
    assert (await ledger.post("/transfers", body, actor="owner-1")).status_code == 200
    # Nor does a stranger learn of it afterwards.
    assert (await ledger.post("/transfers", body, actor="stranger")).status_code == 404
    assert (await ledger.post("/transfers", body, actor="", role="operator")).status_code == 200


async def test_only_confirm_service_moves_money(ledger: Ledger) -> None:
    for path in ("/transfers", "/reserve-funds", "/holds/p/void"):
        body = {
            "payment_id": "p",
            "from_account": "ACC001",
            "to_account": "ACC002",
            "account_number": "ACC001",
            "amount": 1,
            "currency": "USD",
        }
        answer = await ledger.post(path, body, caller="api-gateway", actor="cust_001")
        assert (answer.status_code, answer.json()["code"]) == (403, "caller_not_allowed")
        answer = await ledger.post(path, body, caller="risk-service")
        assert (answer.status_code, answer.json()["code"]) == (403, "caller_not_allowed")
        answer = await ledger.http.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (401, "caller_unauthenticated")


async def test_refunds_go_back_and_never_exceed_the_payment(ledger: Ledger) -> None:
    payer, payee = await ledger.open(1_000), await ledger.open(5_000)
    payment = unique("pay")
    assert (await ledger.transfer(payer, payee, 1_000, payment=payment)).status_code == 200

    async def refund(amount: int, refund_id: str, **more: Any) -> tuple[int, str]:
        answer = await ledger.transfer(
            more.pop("payer", payee),
            more.pop("payee", payer),
            amount,
            payment=more.pop("payment", payment),
            kind="refund",
            refund_id=refund_id,
        )
        return answer.status_code, answer.json().get("code", answer.json().get("transfer_id"))

    first = await refund(400, f"{payment}-r1")
    assert first[0] == 200
    assert await refund(400, f"{payment}-r1") == first
    assert await refund(401, f"{payment}-r1") == (422, "payment_mismatch")
    assert await refund(601, f"{payment}-r2") == (409, "refund_exceeds_payment")
    assert (await refund(600, f"{payment}-r3"))[0] == 200
    assert await refund(1, f"{payment}-r4") == (409, "refund_exceeds_payment")
    assert await refund(1, f"{payment}-r5", payment=unique("pay")) == (404, "payment_not_found")
    third = await ledger.open()
    assert await refund(1, f"{payment}-r6", payee=third) == (422, "payment_mismatch")
    assert await ledger.balance(payer) == (1_000, 0, 1_000)
    assert await ledger.balance(payee) == (5_000, 0, 5_000)
    await ledger.check()


@pytest.mark.parametrize("body", [{"kind": "refund"}, {"refund_id": "r"}, {"kind": "opening"}, {"amount": 0}])
async def test_a_malformed_order_is_422_and_names_the_field(ledger: Ledger, body: dict[str, Any]) -> None:
    answer = await ledger.transfer("ACC001", "ACC002", body.pop("amount", 1), **body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"][0]["field"] in ("kind", "refund_id", "amount")


async def test_the_event_is_written_with_the_money_and_masks_the_accounts(ledger: Ledger) -> None:
    payer, payee = await ledger.open(1_000), await ledger.open()
    payment = unique("pay")
    answer = await ledger.transfer(payer, payee, 7, payment=payment)
    refused = unique("pay")
    assert (await ledger.transfer(payer, payee, 1_000, payment=refused)).status_code == 402
    rows = await ledger.database.fetch(
        "SELECT type, topic, key, payload FROM accounts.outbox WHERE key = ANY($1)", [payment, refused]
    )
    assert [(row["type"], row["topic"], row["key"]) for row in rows] == [
        ("transfer.posted", "payment-events", payment)
    ]
    payload = json.loads(rows[0]["payload"])
    assert payload["transfer_id"] == answer.json()["transfer_id"]
    assert (payload["amount"], payload["currency"], payload["kind"]) == (7, "USD", "payment")
    assert payer not in rows[0]["payload"]
    assert payload["from_account"] == "*" * (len(payer) - 4) + payer[-4:]
