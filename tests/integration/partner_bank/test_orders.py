"""The bank takes an order once for each reference and tells its outcome."""

import asyncio
from typing import Any

import pytest

from .conftest import Bank


async def test_an_order_is_completed(bank: Bank, reference: str) -> None:
    answer = await bank.order(reference=reference)
    assert answer.status_code == 200
    body = answer.json()
    assert body["success"] is True
    assert (body["status"], body["processed_amount"], body["processing_fee"]) == ("COMPLETED", 1_000, 250)
    assert body["reference_number"].startswith("BNK")
    assert body["estimated_settlement"]
    status = await bank.status(reference)
    assert status.json() == body
    assert (await bank.status(body["reference_number"])).json() == body


async def test_a_large_order_is_rejected(bank: Bank, reference: str) -> None:
    body = (await bank.order(50_000_00, reference=reference)).json()
    assert (body["success"], body["status"], body["error_code"]) == (
        False,
        "REJECTED",
        "AMOUNT_EXCEEDS_LIMIT",
    )
    assert (await bank.status(reference)).json()["status"] == "REJECTED"
    assert (await bank.order(49_999_99, reference=f"{reference}-2")).json()["success"] is True


async def test_a_repeat_finds_the_first_order(bank: Bank, reference: str) -> None:
    answers = await asyncio.gather(*(bank.order(reference=reference) for _ in range(20)))
    assert {answer.content for answer in answers} == {answers[0].content}
    assert await bank.booked(reference) == 1
    other = await bank.order(1_001, reference=reference)
    assert (other.status_code, other.json()["code"]) == (422, "payment_mismatch")


async def test_an_unknown_reference_is_404(bank: Bank, reference: str) -> None:
    answer = await bank.status(reference)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await bank.status("%00")).status_code == 404


async def test_an_order_is_pending_before_its_outcome(bank: Bank, reference: str) -> None:
    await bank.order(reference=reference)
    await bank.database.execute(
        "UPDATE bank.transfers SET completes_at = now() + interval '1 hour' WHERE reference = $1", reference
    )
    assert (await bank.status(reference)).json()["status"] == "PENDING"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", 0),
        ("amount", 1.5),
        ("currency", "usd"),
        ("currency", "XXX"),
        ("routing_number", ""),
        ("to_name", "a\x00b"),
        ("from_account", None),
    ],
)
async def test_a_malformed_order_is_422(bank: Bank, reference: str, field: str, value: Any) -> None:
    answer = await bank.order(**{"reference": reference, field: value})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"][0]["field"] == field
    assert await bank.booked(reference) == 0


@pytest.mark.parametrize(("number", "cents"), [("ACC1234", 1_234_000), ("ACC001", 0)])
async def test_balances_follow_the_rule(bank: Bank, number: str, cents: int) -> None:
    answer = await bank.http.post("/check-balance", json={"account_number": number}, headers=bank.headers())
    body = answer.json()
    assert (body["account_number"], body["available_balance"], body["currency"]) == (number, cents, "USD")


async def test_health_names_the_database(bank: Bank) -> None:
    health = (await bank.http.get("/health")).json()
    assert (health["status"], health["service"]) == ("healthy", "partner-bank-api")
    assert health["dependencies"] == {"database": "healthy"}
