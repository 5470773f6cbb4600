from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.account.messages import ReserveRequest, TransferRequest, ValidateRequest

GOOD = {"payment_id": "p1", "from_account": "ACC001", "to_account": "ACC002", "amount": 1, "currency": "USD"}


def decode(body: dict[str, Any]) -> TransferRequest:
    return msgspec.json.decode(msgspec.json.encode(body), type=TransferRequest)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", 0),
        ("amount", -1),
        ("amount", 10**12 + 1),
        ("amount", 1.5),
        ("amount", "1"),
        ("amount", True),
        ("amount", None),
        ("currency", "usd"),
        ("currency", "USDX"),
        ("currency", "USD\n"),
        ("payment_id", ""),
        ("payment_id", "a\x00b"),
        ("payment_id", "x" * 129),
        ("from_account", "ACC 001"),
        ("from_account", "ACC001\n"),
        ("to_account", "'; DROP TABLE accounts.accounts"),
        ("kind", "opening"),
        ("kind", "fee"),
    ],
)
def test_a_wrong_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError, match=field):
        decode(GOOD | {field: value})


def test_a_payment_is_the_usual_kind() -> None:
    transfer = decode(GOOD)
    assert (transfer.kind, transfer.refund_id) == ("payment", None)


def test_a_fee_may_be_zero_but_not_negative() -> None:
    hold = {"payment_id": "p", "account_number": "ACC001", "amount": 1, "currency": "USD"}
    assert msgspec.convert(hold, ReserveRequest).fee == 0
    with pytest.raises(msgspec.ValidationError, match="fee"):
        msgspec.convert(hold | {"fee": -1}, ReserveRequest)


@given(st.binary() | st.text().map(str.encode))
def test_no_body_crashes_the_decoder(raw: bytes) -> None:
    for kind in (TransferRequest, ReserveRequest, ValidateRequest):
        with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
            msgspec.json.decode(raw, type=kind)
