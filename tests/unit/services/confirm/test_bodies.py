"""Bodies of requests: exact decimals, and every wrong field named."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.common.errors import Problem
from payments.confirm.bodies import (
    CreatePayment,
    OriginalConfirm,
    check_create,
    read_original,
    read_otp,
)


def original(amount: str = "1000.00", **more: Any) -> OriginalConfirm:
    body = {"transaction_id": "txn_001", "customer_id": "cust_001"} | more
    text = msgspec.json.encode(body).decode()[:-1] + f', "amount": {amount}}}'
    return msgspec.json.decode(text, type=OriginalConfirm)


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        ("1000.00", "1000.00"),
        ("0.1", "0.1"),
        ("1e2", "100"),
        ('"12.30"', "12.30"),
        ("0.07", "0.07"),
        ("999999999999.99", "999999999999.99"),
    ],
)
def test_amounts_are_read_exactly(written: str, exact: str) -> None:
    expected = read_original(original(written), "cust_001").expected
    assert expected == {"amount": exact}


@given(st.integers(1, 10**12))
def test_no_amount_of_cents_is_changed_by_reading(cents: int) -> None:
    written = f"{cents // 100}.{cents % 100:02d}"
    expected = read_original(original(written), "cust_001").expected
    assert expected is not None and expected["amount"] == written


@pytest.mark.parametrize("amount", ["0", "-1", "1e13", "1e400", "1e-12", "-0.0", "1e999999999"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(Problem) as caught:
        read_original(original(amount), "cust_001")
    assert (caught.value.code, caught.value.errors[0]["field"]) == ("validation_failed", "amount")


@pytest.mark.parametrize("amount", ["true", "null", "[1]", '"ten"', '"NaN"', '"Infinity"'])
def test_what_is_no_number_is_refused(amount: str) -> None:
    with pytest.raises((msgspec.ValidationError, Problem)):
        read_original(original(amount), "cust_001")


def test_missing_fields_are_named_as_the_original_did() -> None:
    with pytest.raises(Problem) as caught:
        read_original(OriginalConfirm(), "cust_001")
    assert caught.value.status == 400
    assert caught.value.members["missing_fields"] == ["transaction_id", "customer_id", "amount"]


def test_another_customer_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        read_original(original(), "cust_002")
    assert (caught.value.code, caught.value.errors[0]["field"]) == ("payment_mismatch", "customer_id")


def test_accounts_and_password_are_read_when_given() -> None:
    read = read_original(original(from_account="ACC001", to_account="ACC002", otp=123456), "cust_001")
    assert read.otp == "123456"
    assert read.expected == {"amount": "1000.00", "from_account": "ACC001", "to_account": "ACC002"}


@pytest.mark.parametrize("otp", ["12345", "1234567", "12345a", "１２３４５６", "", " 123456"])
def test_a_password_has_six_digits(otp: str) -> None:
    with pytest.raises(Problem) as caught:
        read_otp(otp, "otp_invalid")
    assert caught.value.status == 422


def payment(**more: Any) -> CreatePayment:
    body = {"amount": 100, "currency": "USD", "from_account": "A1", "to_account": "B1"} | more
    return msgspec.json.decode(msgspec.json.encode(body), type=CreatePayment)


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"amount": 0}, "validation_failed", "amount"),
        ({"amount": -5}, "validation_failed", "amount"),
        ({"amount": 10**12 + 1}, "validation_failed", "amount"),
        ({"currency": "XYZ"}, "validation_failed", "currency"),
        ({"currency": "usd"}, "validation_failed", "currency"),
        ({"to_account": "A1"}, "self_transfer", "to_account"),
        ({"to_routing_number": "021000021"}, "validation_failed", "to_name"),
        ({"metadata": {str(n): "x" for n in range(51)}}, "validation_failed", "metadata"),
    ],
)
def test_what_cannot_be_paid_names_its_field(more: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Problem) as caught:
        check_create(payment(**more))
    assert (caught.value.code, caught.value.status, caught.value.errors[0]["field"]) == (code, 422, field)


@pytest.mark.parametrize(
    "more",
    [
        {"amount": 1.5},
        {"amount": "100"},
        {"amount": True},
        {"from_account": "A 1"},
        {"to_account": "x" * 65},
        {"to_account": "B1\n"},
        {"surprise": 1},
        {"metadata": {"a": 1}},
        {"description": "a\x00b"},
    ],
)
def test_wrong_types_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        payment(**more)


def test_a_good_payment_passes() -> None:
    check_create(payment(description="Rent", metadata={"order": "7"}))
    check_create(payment(to_routing_number="021000021", to_name="Wilma", to_account="A1"))
