"""Routes of audit-service."""

from datetime import datetime

import msgspec
from starlette.routing import Route

from payments.audit.domain import Entry
from payments.audit.store import Store
from payments.audit.usecases import Report, verify
from payments.common.errors import Problem
from payments.common.routes import Call, get

_DEFAULT_LIMIT, _MAX_LIMIT = 50, 500
_VERIFY_LAST, _MAX_NUMBER = 100_000, 2**63 - 1


class EventReply(msgspec.Struct):
    """An entry of the trail; all that its hash is made of (`payload` as text there)."""

    seq: int
    event_id: str
    payment_id: str | None
    customer_id: str | None
    source: str
    source_sequence: int
    type: str
    time: datetime
    payload: msgspec.Raw
    prev_hash: str
    hash: str


class EventsReply(msgspec.Struct):
    """A page; ask on with `starting_after` set to the last `seq`."""

    data: list[EventReply]
    has_more: bool
    object: str = "list"


class Routes:
    """The handlers, over the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """All routes of the service."""
        return [get("/events", self.events), get("/verify", self.verify)]

    async def events(self, call: Call[None]) -> EventsReply:
        """Entries of a payment, of a type, or all."""
        _authorize(call)
        limit = _number(call, "limit", _DEFAULT_LIMIT, 1, _MAX_LIMIT)
        found = await self._store.search(
            payment_id=_text(call, "payment_id"),
            type_=_text(call, "type"),
            after=_number(call, "starting_after", 0, 0, _MAX_NUMBER),
            limit=limit + 1,
        )
        return EventsReply([_reply(entry) for entry in found[:limit]], len(found) > limit)

    async def verify(self, call: Call[None]) -> Report:
        """Recompute the end of the chain; the whole of it by `python3 -m payments.audit.verify`."""
        _authorize(call)
        return await verify(self._store, last=_number(call, "last", _VERIFY_LAST, 1, _MAX_NUMBER))


def _authorize(call: Call[None]) -> None:
    if call.actor is not None:
        call.required_actor("auditor", "operator")
    elif call.caller != "api-gateway":
        raise Problem("forbidden")


def _text(call: Call[None], name: str) -> str | None:
    value = call.request.query_params.get(name)
    if value is not None and (not value or len(value) > 128 or "\0" in value):
        errors = [{"field": name, "message": "must have from 1 to 128 characters"}]
        raise Problem("validation_failed", errors=errors)
    return value


def _number(call: Call[None], name: str, default: int, least: int, most: int) -> int:
    value = call.request.query_params.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdecimal() and len(value) <= 19 and least <= int(value) <= most):
        errors = [{"field": name, "message": f"must be a whole number from {least} to {most}"}]
        raise Problem("validation_failed", errors=errors)
    return int(value)


def _reply(entry: Entry) -> EventReply:
    fact = entry.fact
    return EventReply(
        seq=entry.seq,
        event_id=fact.event_id,
        payment_id=fact.payment_id,
        customer_id=fact.customer_id,
        source=fact.source,
        source_sequence=fact.source_sequence,
        type=fact.type,
        time=fact.time,
        payload=msgspec.Raw(fact.payload.encode()),
        prev_hash=entry.prev_hash,
        hash=entry.hash,
    )
