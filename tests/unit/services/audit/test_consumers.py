import json
from datetime import UTC, datetime
from typing import Any

import pytest

from payments.audit.consumers import fact
from payments.common.kafka import Message, Poison

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "01a206e5-01d6-7403-99de-48f336955250",
    "source": "confirm-service",
    "type": "payment.succeeded",
    "subject": "p1",
    "time": "2026-01-31T12:00:00.123Z",
    "sequence": "42",
    "datacontenttype": "application/json",
    "data": {"id": "p1", "customer_id": "c1"},
}


def message(data: str | None = None, **changes: Any) -> Message:
    event = {name: value for name, value in (EVENT | changes).items() if value is not ...}
    text = json.dumps(event)
    if data is not None:
        text = text.replace(json.dumps(EVENT["data"]), data)
    return Message("payment-events", b"p1", text.encode())


def test_an_event_becomes_a_fact() -> None:
    found = fact(message())
    assert (found.event_id, found.payment_id, found.customer_id) == (EVENT["id"], "p1", "c1")
    assert (found.source, found.source_sequence, found.type) == ("confirm-service", 42, "payment.succeeded")
    assert found.time == datetime(2026, 1, 31, 12, 0, 0, 123000, UTC)


def test_the_data_is_kept_to_the_letter() -> None:
    text = '{ "b":1.10, "a":[1e3, "\\u00eb"], "customer_id":null }'
    assert fact(message(text)).payload == text


@pytest.mark.parametrize(
    ("type_", "data", "payment_id"),
    [
        ("otp.sent", "{}", "p1"),
        ("refund.succeeded", "{}", "p1"),
        ("transfer.posted", '{"payment_id": null}', None),
        ("transfer.posted", '{"payment_id": "p2"}', "p2"),
        ("kyc.changed", "{}", None),
        ("user.logged_in", "null", None),
    ],
)
def test_which_payment_an_event_is_about(type_: str, data: str, payment_id: str | None) -> None:
    assert fact(message(data, type=type_)).payment_id == payment_id


@pytest.mark.parametrize(
    "bad",
    [
        Message("t", b"", b""),
        Message("t", b"", b"{}"),
        Message("t", b"", b"\xff"),
        message(sequence="x"),
        message(sequence="0"),
        message(sequence="-1"),
        message(sequence=str(2**63)),
        message(time="yesterday"),
        message(time="2026-01-31T12:00:00"),
        message(id="a\0b"),
        message(subject=...),
        message('{"customer_id": 1}'),
        message("[1]"),
    ],
)
def test_what_cannot_be_recorded_is_poison(bad: Message) -> None:
    with pytest.raises(Poison):
        fact(bad)
