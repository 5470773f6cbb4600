"""Outcomes are counted with the level that the attempt found; amounts in units of their currency."""

from typing import Any

import pytest

from payments.common.metrics import REGISTRY
from payments.confirm import measures
from payments.confirm.domain import Payment, Refund, Status


def payment(**more: Any) -> Payment:
    fields: dict[str, Any] = {
        "id": "p",
        "status": Status.PROCESSING,
        "customer_id": "c",
        "from_account": "A",
        "to_account": "B",
        "amount": 12_345,
        "fee": 0,
        "currency": "USD",
    }
    return Payment(**fields | more)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"assessment": {"public": {"level": "HIGH"}}}, "HIGH"),
        ({"assessment": {"public": {"level": "low; drop"}}}, "none"),
        ({"assessment": None}, "none"),
        ({}, "none"),
    ],
)
def test_levels(changes: dict[str, Any], level: str) -> None:
    assert measures.level(changes) == level


def test_a_success_counts_its_amount_and_other_ends_do_not() -> None:
    outcome = {"outcome": "succeeded", "risk_level": "LOW", "transfer": "off_us", "code": ""}
    before = value("payments_outcomes_total", **outcome)
    moved = value("payments_moved_amount_sum", kind="payment", currency="USD")
    low = {"assessment": {"public": {"level": "LOW"}}}
    measures.ended(payment(to_routing_number="021000021"), "succeeded", low)
    measures.ended(payment(), "failed", low, "payment_refused")
    assert value("payments_outcomes_total", **outcome) == before + 1
    assert value("payments_moved_amount_sum", kind="payment", currency="USD") == pytest.approx(moved + 123.45)


def test_amounts_follow_the_currency_s_exponent() -> None:
    before = value("payments_moved_amount_sum", kind="refund", currency="JPY")
    refund = Refund("r", "p", 500, "JPY", "A", "B", "/v1", "c")
    measures.refunded(refund, "succeeded")
    measures.refunded(refund, "failed")
    assert value("payments_moved_amount_sum", kind="refund", currency="JPY") == before + 500
