"""Appends the events of the topic payment-events to the trail."""

import logging
import time
from collections.abc import Sequence

import msgspec

from payments.audit.domain import Fact
from payments.audit.store import Store
from payments.common.kafka import Message, Poison
from payments.contracts.event import decode

log = logging.getLogger(__name__)

LOG_HEAD_SECONDS = 60.0
_MAX_SEQUENCE = 2**63 - 1
# Events about a payment have it as their subject, unless their data says otherwise.
_ABOUT_PAYMENTS = ("payment.", "refund.", "transfer.", "hold.", "otp.")


class _Data(msgspec.Struct):
    customer_id: str | None = None
    payment_id: str | msgspec.UnsetType | None = msgspec.UNSET


class Recorder:
    """Handles batches of payment-events."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._logged = float("-inf")

    async def __call__(self, messages: Sequence[Message]) -> None:
        """Raises Poison or Problem(service_unavailable)."""
        head = await self._store.append([fact(message) for message in messages])
        if head is not None and time.monotonic() - self._logged > LOG_HEAD_SECONDS:
            # The log is a second place: an anchor for `verify --anchor`.
            self._logged = time.monotonic()
            log.info("audit chain head", extra={"seq": head.seq, "hash": head.hash})


def fact(message: Message) -> Fact:
    """What a message says. Raises Poison when it is no event of ours."""
    try:
        event = decode(message.value)
        data = msgspec.json.decode(event.data, type=_Data | None) or _Data()
        sequence = int(event.sequence)
        payload = bytes(event.data).decode()
        payment_id = data.payment_id
        if payment_id is msgspec.UNSET:
            payment_id = event.subject if event.type.startswith(_ABOUT_PAYMENTS) else None
        texts = (event.id, event.source, event.type, payment_id or "", data.customer_id or "")
        if not 1 <= sequence <= _MAX_SEQUENCE or any("\0" in text for text in texts):
            raise ValueError("sequence out of range, or a zero character in a name")
        if event.time.tzinfo is None:
            raise ValueError("time without a zone")
    except (msgspec.DecodeError, ValueError) as error:
        raise Poison(f"no event that can be recorded: {error}") from error
    return Fact(
        event_id=event.id,
        payment_id=payment_id,
        customer_id=data.customer_id,
        source=event.source,
        source_sequence=sequence,
        type=event.type,
        time=event.time,
        payload=payload,
    )
