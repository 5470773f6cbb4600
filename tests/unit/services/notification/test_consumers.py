import json
from collections.abc import Sequence
from typing import Any, cast

import pytest

from payments.common.kafka import Message, Poison
from payments.notification.consumers import Handler, NotDelivered, notification
from payments.notification.domain import Notification
from payments.notification.store import Delivery, Key
from payments.notification.usecases import Sender

PAYMENT = {"id": "p1", "object": "payment", "customer_id": "c1", "amount": 123456, "currency": "USD"}


def message(type_: str = "payment.succeeded", data: Any = PAYMENT, event_id: str = "e1") -> Message:
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "confirm-service",
        "type": type_,
        "subject": "p1",
        "time": "2026-01-31T12:00:00Z",
        "sequence": "1",
        "data": data,
    }
    return Message("notification-events", b"p1", json.dumps(event).encode())


class FakeSender:
    """Answers with the deliveries that are set, in turn."""

    def __init__(self, *deliveries: Delivery) -> None:
        self.deliveries = list(deliveries)
        self.sent: list[Notification] = []

    async def send_all(self, notifications: Sequence[Notification]) -> dict[Key, Delivery]:
        self.sent += notifications
        return {(n.dedupe_key, "sms"): self.deliveries.pop(0) for n in notifications}


def handler(sender: FakeSender) -> Handler:
    return Handler(cast(Sender, sender), max_attempts=3)


SENT = Delivery("sent", 1, "m", None, False)
NO_ADDRESS = Delivery("failed", 1, None, "no address", True)


def failed(attempts: int) -> Delivery:
    return Delivery("failed", attempts, None, "status 503", False)


def test_an_event_becomes_a_message_under_its_own_id() -> None:
    found = notification(message())
    assert found is not None
    assert (found.dedupe_key, found.customer_id, found.type) == ("e1", "c1", "PAYMENT_CONFIRMED")
    assert found.text.body == "Payment of 1,234.56 USD confirmed. Transaction ID: p1"


def test_a_refund_names_its_payment() -> None:
    refund = {"id": "r1", "payment": "p1", "customer_id": "c1", "amount": 5, "currency": "JPY"}
    found = notification(message("refund.succeeded", refund))
    assert found is not None
    assert found.text.body == "Refund of 5 JPY for transaction p1 was credited to your account."


def test_other_events_tell_nothing() -> None:
    assert notification(message("payment.created")) is None


@pytest.mark.parametrize(
    "bad",
    [
        Message("t", b"", b"\xff"),
        message(data={}),
        message(data=None),
        message(data=PAYMENT | {"currency": "XXX"}),
        message(data=PAYMENT | {"amount": "12.00"}),
    ],
)
def test_what_cannot_be_told_is_poison(bad: Message) -> None:
    with pytest.raises(Poison):
        notification(bad)


async def test_delivered_and_undeliverable_messages_are_done() -> None:
    await handler(FakeSender(SENT, NO_ADDRESS))([message(), message(event_id="e2")])


async def test_a_failure_brings_the_batch_back() -> None:
    with pytest.raises(NotDelivered, match="status 503"):
        await handler(FakeSender(SENT, failed(2)))([message(), message(event_id="e2")])


async def test_after_enough_attempts_a_message_is_given_up() -> None:
    with pytest.raises(Poison, match="3 attempts"):
        await handler(FakeSender(failed(3)))([message()])


async def test_a_delivery_that_another_process_holds_is_waited_for() -> None:
    with pytest.raises(NotDelivered):
        await handler(FakeSender(Delivery("pending", 1, None, None, False)))([message()])
