"""The envelope of every event (CloudEvents 1.0, https://cloudevents.io) and how it is read."""

from datetime import datetime

import msgspec

PAYMENT_EVENTS = "payment-events"
NOTIFICATION_EVENTS = "notification-events"
AUDIT_ANCHORS = "audit-anchors"
TOPICS = (
    PAYMENT_EVENTS,
    NOTIFICATION_EVENTS,
    f"{PAYMENT_EVENTS}.dlq",
    f"{NOTIFICATION_EVENTS}.dlq",
    AUDIT_ANCHORS,
)


class Event(msgspec.Struct, frozen=True):
    """One event. `sequence` counts without gaps what a `source` sends to a topic."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    sequence: str
    data: msgspec.Raw
    specversion: str = "1.0"
    datacontenttype: str = "application/json"
    traceparent: str | None = None


_decoder = msgspec.json.Decoder(Event)


def decode(value: bytes) -> Event:
    """The event in a Kafka record's value.

    Raises:
        msgspec.DecodeError: it is no CloudEvent (ValidationError is a subclass).
    """
    return _decoder.decode(value)
