"""What bodies and queries may hold, whatever is thrown at them."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from payments.common.errors import Problem
from payments.gateway import body
from payments.gateway.body import idempotency_key
from payments.gateway.models import ConfirmPaymentRequest, CreatePaymentRequest, PaymentsQuery
from payments.gateway.passthrough import query
from payments.gateway.payment_routes import check_confirmation, check_payment

CREATE = msgspec.json.Decoder(CreatePaymentRequest)
CONFIRM = msgspec.json.Decoder(ConfirmPaymentRequest)
PAYMENT = {"amount": 1234, "currency": "USD", "from_account": "ACC001", "to_account": "ACC002"}
CONFIRMATION = {"transaction_id": "txn_001", "customer_id": "cust_001", "amount": 10}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def create(raw: bytes) -> CreatePaymentRequest:
    decoded = body.decode(CREATE, raw)
    check_payment(decoded)
    return decoded


def confirm(raw: bytes) -> ConfirmPaymentRequest:
    decoded = body.decode(CONFIRM, raw)
    check_confirmation(decoded)
    return decoded


@given(raw=st.binary(max_size=200))
def test_bytes_are_refused_with_a_problem(raw: bytes) -> None:
    for read in (create, confirm):
        with pytest.raises(Problem) as refused:
            read(raw)
        assert refused.value.status in (400, 422)


@given(value=JSON_VALUES, name=st.sampled_from([*PAYMENT, "to_name", "metadata", "other"]))
def test_any_value_of_any_member_is_taken_or_refused_with_a_problem(value: Any, name: str) -> None:
    try:
        decoded = create(json.dumps(PAYMENT | {name: value}).encode())
    except Problem as problem:
        assert problem.status in (400, 422)
        assert problem.body("/")
        return
    assert 1 <= decoded.amount <= 10**12
    assert decoded.from_account != decoded.to_account
    assert "other" not in name


@given(
    value=JSON_VALUES | st.decimals().map(str), name=st.sampled_from([*CONFIRMATION, "otp", "from_account"])
)
def test_any_confirmation_is_taken_or_refused_with_a_problem(value: Any, name: str) -> None:
    try:
        decoded = confirm(json.dumps(CONFIRMATION | {name: value}).encode())
    except Problem as problem:
        assert problem.status in (400, 422)
        assert problem.body("/")
        return
    assert decoded.amount is not None
    assert 0 < decoded.amount <= 10**12
    assert decoded.amount == decoded.amount.quantize(Decimal("0.001"))


@pytest.mark.parametrize(
    "amount", ["0.1", "1000.00", "1e3", "999999999999.99", "10.000000000000000000000000000000"]
)
def test_decimals_are_exact(amount: str) -> None:
    raw = b'{"transaction_id": "t", "customer_id": "c", "amount": %s}' % amount.encode()
    assert confirm(raw).amount == Decimal(amount)


@pytest.mark.parametrize("amount", ["0.0001", "1.2345", "0.1000000000000000000000000000001", "1e-400"])
def test_more_decimals_than_any_currency_has(amount: str) -> None:
    with pytest.raises(Problem) as refused:
        confirm(b'{"transaction_id": "t", "customer_id": "c", "amount": %s}' % amount.encode())
    assert refused.value.errors[0]["field"] == "amount"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"amount": NaN}', "validation_failed"),
        (b'{"amount": -Infinity}', "validation_failed"),
        (b'{"amount": NaN', "malformed_request"),
        (b"NaN", "validation_failed"),
        (b'{"to_name": "NaN"', "malformed_request"),
        (b"[" * 200_000, "validation_failed"),
        (b'{"amount": ' + b"[" * 200_000, "validation_failed"),
    ],
)
def test_nearly_json(raw: bytes, code: str) -> None:
    with pytest.raises(Problem) as refused:
        create(raw)
    assert refused.value.code == code


def test_a_refusal_names_the_field_and_keeps_the_value_to_itself() -> None:
    with pytest.raises(Problem) as refused:
        create(json.dumps(PAYMENT | {"to_account": "4111 1111 1111 1111"}).encode())
    assert refused.value.errors[0]["field"] == "to_account"
    assert b"4111" not in refused.value.body("/")


def request(query_string: bytes = b"", headers: list[tuple[str, str]] | None = None) -> Request:
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers or []]
    return Request(
        {"type": "http", "method": "GET", "path": "/", "query_string": query_string, "headers": pairs}
    )


@given(
    text=st.binary(max_size=80) | st.text(alphabet="limtsarg_fe=&%0123456789+;", max_size=60).map(str.encode)
)
def test_any_query_is_taken_or_refused_with_a_problem(text: bytes) -> None:
    try:
        again = query(request(text), PaymentsQuery)
    except Problem as problem:
        assert problem.code == "validation_failed"
        return
    assert again == "" or (again.startswith("?") and again.isascii() and again.isprintable())


def test_a_query_without_pairs_is_none() -> None:
    assert query(request(), PaymentsQuery) == ""


@given(key=st.text(alphabet=st.characters(min_codepoint=0, max_codepoint=255), max_size=300))
def test_idempotency_keys(key: str) -> None:
    try:
        read = idempotency_key(request(headers=[("Idempotency-Key", key)]))
    except Problem as problem:
        missing = not key.strip()
        assert problem.code == ("missing_idempotency_key" if missing else "invalid_idempotency_key")
        return
    assert read == key.strip()
    assert read.isascii() and read.isprintable() and len(read) <= 255


def test_two_idempotency_keys_are_none() -> None:
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    with pytest.raises(Problem, match="invalid_idempotency_key"):
        idempotency_key(request(headers=twice))
