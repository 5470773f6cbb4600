from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.partner_bank.domain import Entry, Order, Return, ReturnEntry, balance, decide, reference_number
from payments.partner_bank.responses import outcome, returned

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ORDER = Order("ref-1", "ACC001", "DE0001", "Jane", "021000021", 12_345, "USD")


def entry(error_code: str | None) -> Entry:
    return Entry(ORDER, "BNK1", 250, error_code, NOW, NOW + timedelta(seconds=1), NOW + timedelta(hours=24))


@pytest.mark.parametrize(
    ("amount", "exponent", "expected"),
    [
        (1, 2, (None, 250)),
        (49_999_99, 2, (None, 250)),
        (50_000_00, 2, ("AMOUNT_EXCEEDS_LIMIT", 0)),
        (10**12, 2, ("AMOUNT_EXCEEDS_LIMIT", 0)),
        (49_999, 0, (None, 3)),  # 2.50 JPY do not exist
        (50_000, 0, ("AMOUNT_EXCEEDS_LIMIT", 0)),
        (49_999_999, 3, (None, 2500)),
        (50_000_000, 3, ("AMOUNT_EXCEEDS_LIMIT", 0)),
    ],
)
def test_amounts_from_fifty_thousand_are_rejected(
    amount: int, exponent: int, expected: tuple[str | None, int]
) -> None:
    assert decide(amount, exponent) == expected


@pytest.mark.parametrize(
    ("number", "cents"),
    [
        ("ACC1234", 1_234_000),
        ("ACC001", 0),
        ("1", 0),
        ("", 0),
        ("ACC0001", 1_000),
        ("٣٣٣٣", 0),
        ("A-12.5", 0),
    ],
)
def test_the_balance_follows_the_last_four_digits(number: str, cents: int) -> None:
    assert balance(number) == cents


@given(st.text())
def test_a_balance_is_always_a_number(number: str) -> None:
    assert 0 <= balance(number) <= 99_990_00


def test_an_order_is_pending_until_its_outcome() -> None:
    assert entry(None).status(NOW) == "PENDING"
    assert entry(None).status(NOW + timedelta(seconds=1)) == "COMPLETED"
    assert entry("AMOUNT_EXCEEDS_LIMIT").status(NOW) == "PENDING"
    assert entry("AMOUNT_EXCEEDS_LIMIT").status(NOW + timedelta(seconds=1)) == "REJECTED"


def test_a_pending_order_tells_no_outcome() -> None:
    answer = outcome(entry("AMOUNT_EXCEEDS_LIMIT"), NOW)
    assert (answer["status"], answer["success"], answer["processed_amount"]) == ("PENDING", False, 0)
    assert answer["error_code"] is None


def test_the_outcome_has_the_original_members() -> None:
    accepted = outcome(entry(None), NOW + timedelta(seconds=1))
    assert accepted["success"] is True
    assert (accepted["status"], accepted["processed_amount"], accepted["processing_fee"]) == (
        "COMPLETED",
        12_345,
        250,
    )
    assert accepted["estimated_settlement"] == "2026-02-01T12:00:00.000Z"
    rejected = outcome(entry("AMOUNT_EXCEEDS_LIMIT"), NOW + timedelta(seconds=1))
    assert (rejected["success"], rejected["error_code"]) == (False, "AMOUNT_EXCEEDS_LIMIT")
    assert rejected["message"] == "Transfer amount exceeds daily limit"


@pytest.mark.parametrize(
    ("error_code", "seconds", "status", "returned_amount"),
    [
        (None, 0, "PENDING", 0),
        (None, 1, "COMPLETED", 500),
        ("DECLINED", 0, "PENDING", 0),
        ("DECLINED", 1, "REJECTED", 0),
    ],
)
def test_a_return_tells_its_outcome_in_time(
    error_code: str | None, seconds: int, status: str, returned_amount: int
) -> None:
    order = Return("ret-1", "ref-1", 500, "USD", None)
    entry = ReturnEntry(order, "BNK2", error_code, NOW, NOW + timedelta(seconds=1))
    answer = returned(entry, NOW + timedelta(seconds=seconds))
    assert (answer["status"], answer["returned_amount"]) == (status, returned_amount)
    assert answer["error_code"] == ("DECLINED" if status == "REJECTED" else None)


def test_a_reference_number_looks_like_the_original() -> None:
    assert reference_number(1_700_000_000_000, "a1b2") == "BNK1700000000000A1B2"
