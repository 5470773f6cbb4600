"""Tells customers what has become of their payments, from the topic notification-events."""

import logging
from collections.abc import Sequence
from typing import Any

import msgspec

from payments.common.kafka import Message, Poison
from payments.common.money import AmountError, to_decimal
from payments.contracts.event import Event, decode
from payments.notification.domain import CHANNELS, Notification, compose
from payments.notification.store import Delivery
from payments.notification.usecases import Sender

log = logging.getLogger(__name__)

# What customers are told; other events on the topic are none of their business.
_TYPES = {
    "payment.succeeded": "PAYMENT_CONFIRMED",
    "payment.failed": "PAYMENT_FAILED",
    "refund.succeeded": "REFUND_SUCCEEDED",
}


class _Data(msgspec.Struct):
    id: str
    customer_id: str
    amount: int
    currency: str
    payment: str | None = None


class NotDelivered(Exception):
    """Some message could not be handed over for now; the batch is to come again."""


class Handler:
    """Handles batches of the topic. A message that failed `max_attempts` times is given up as poison."""

    def __init__(self, sender: Sender, max_attempts: int) -> None:
        self._sender = sender
        self._max_attempts = max_attempts

    async def __call__(self, messages: Sequence[Message]) -> None:
        """Raises Poison, NotDelivered or Problem(service_unavailable)."""
        wanted = [n for message in messages if (n := notification(message)) is not None]
        if not wanted:
            return
        failed = [d for d in (await self._sender.send_all(wanted)).values() if self._is_open(d)]
        if not failed:
            return
        if given_up := [d for d in failed if d.attempts >= self._max_attempts]:
            raise Poison(f"not delivered after {given_up[0].attempts} attempts: {given_up[0].error}")
        raise NotDelivered(f"{len(failed)} messages, the first because of: {failed[0].error}")

    @staticmethod
    def _is_open(delivery: Delivery) -> bool:
        return delivery.status != "sent" and not delivery.permanent


def notification(message: Message) -> Notification | None:
    """What the customer is to be told by this message, None when nothing. Raises Poison."""
    try:
        event = decode(message.value)
        if event.type not in _TYPES:
            log.info("nothing to tell about %s", event.type, extra={"event_id": event.id})
            return None
        type_ = _TYPES[event.type]
        return Notification(
            event.id, _data(event).customer_id, type_, CHANNELS, compose(type_, _fields(event))
        )
    except (msgspec.DecodeError, UnicodeDecodeError, AmountError) as error:
        raise Poison(f"no event that can be told: {error}") from error


def _data(event: Event) -> _Data:
    return msgspec.json.decode(event.data, type=_Data)


def _fields(event: Event) -> dict[str, Any]:
    data = _data(event)
    amount = f"{to_decimal(data.amount, data.currency):,f} {data.currency}"
    return {"amount": amount, "transaction_id": data.payment or data.id}
