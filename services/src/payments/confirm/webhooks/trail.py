"""Events and deliveries as their owner sees them; replays and tests on request."""

from typing import Any, NamedTuple

import msgspec

from payments.common import context
from payments.common.clock import rfc3339, utcnow
from payments.common.db import Database
from payments.common.errors import Problem
from payments.common.ids import new_id
from payments.confirm.answers import Answer
from payments.confirm.idempotency import Key
from payments.confirm.webhooks.keyed import Connection, Done, once
from payments.contracts.webhook import TEST, subscribes

_EVENTS = """
    SELECT body FROM payments.webhook_events
    WHERE customer_id = $1 AND ($2::text IS NULL OR id < $2) AND ($3::text IS NULL OR type = $3)
    ORDER BY id DESC LIMIT $4"""
_EVENT = "SELECT body FROM payments.webhook_events WHERE id = $1 AND customer_id = $2"
_EVENT_TYPE = "SELECT type FROM payments.webhook_events WHERE id = $1 AND customer_id = $2"
_DOCUMENT = """
    json_build_object('id', d.id, 'object', 'webhook_delivery', 'webhook_endpoint', d.endpoint_id,
        'event', d.event_id, 'event_type', d.event_type, 'replay', d.replay, 'status', d.status,
        'attempts', d.attempts,
        'next_attempt_at', CASE WHEN d.status = 'pending' THEN payments.rfc3339(d.next_attempt_at) END,
        'last_attempt', CASE WHEN d.last_attempt_at IS NOT NULL THEN json_build_object(
            'at', payments.rfc3339(d.last_attempt_at), 'duration_ms', d.last_duration_ms,
            'status', d.last_status, 'error', d.last_error, 'response', d.last_response) END,
        'created_at', payments.rfc3339(d.created_at),
        'delivered_at', payments.rfc3339(d.delivered_at))::text"""
_DELIVERIES = f"""
    SELECT {_DOCUMENT} FROM payments.webhook_deliveries AS d
    WHERE d.endpoint_id = $1 AND ($2::text IS NULL OR d.id < $2) AND ($3::text IS NULL OR d.status = $3)
        AND ($4::text IS NULL OR d.event_type = $4)
    ORDER BY d.id DESC LIMIT $5"""  # noqa: S608
_OWN = "SELECT FROM payments.webhook_endpoints WHERE id = $1 AND customer_id = $2"
_ENDPOINTS = """
    SELECT id, status, enabled_events, payments.webhook_endpoint_document(webhook_endpoints)::text AS document
    FROM payments.webhook_endpoints WHERE customer_id = $1 AND ($2::text IS NULL OR id = $2) ORDER BY id"""
_KEEP_EVENT = """
    INSERT INTO payments.webhook_events (id, customer_id, type, body, created_at, traceparent)
    VALUES ($1, $2, $3, $4, $5, $6)"""
# What waits for its next attempt anyway is sent now instead of twice.
_HASTEN = f"""
    UPDATE payments.webhook_deliveries AS d SET next_attempt_at = now()
    WHERE endpoint_id = $1 AND event_id = $2 AND status = 'pending' AND claim IS NULL RETURNING {_DOCUMENT}"""  # noqa: S608
_AGAIN = f"""
    INSERT INTO payments.webhook_deliveries AS d (id, endpoint_id, event_id, event_type, replay)
    VALUES ($1, $2, $3, $4, true) RETURNING {_DOCUMENT}"""  # noqa: S608


class Wanted(NamedTuple):
    """Which part of a list: `after` is the id of the last one seen."""

    limit: int
    after: str | None = None
    type: str | None = None
    status: str | None = None


class Trail:
    """What was told, and what became of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def events(self, customer: str, wanted: Wanted) -> bytes:
        """A page of events, newest first."""
        rows = await self._database.fetch(_EVENTS, customer, wanted.after, wanted.type, wanted.limit + 1)
        return _page([row[0] for row in rows], wanted.limit)

    async def event(self, event: str, customer: str) -> bytes:
        """An event. Raises Problem(not_found)."""
        found: str | None = await self._database.fetchval(_EVENT, event, customer)
        if found is None:
            raise Problem("not_found", "There is no such event")
        return found.encode()

    async def deliveries(self, endpoint: str, customer: str, wanted: Wanted) -> bytes:
        """A page of an endpoint's deliveries, newest first. Raises Problem(not_found)."""
        if await self._database.fetchrow(_OWN, endpoint, customer) is None:
            raise Problem("not_found", "There is no such webhook endpoint")
        rows = await self._database.fetch(
            _DELIVERIES, endpoint, wanted.after, wanted.status, wanted.type, wanted.limit + 1
        )
        return _page([row[0] for row in rows], wanted.limit)

    async def replay(self, event: str, endpoint: str | None, key: Key) -> Answer:
        """201 with the deliveries: to `endpoint`, or to all that take such events.

        Raises:
            Problem: not_found; webhook_endpoint_disabled when nobody takes it.
        """

        async def work(connection: Connection) -> Done:
            event_type = await connection.fetchval(_EVENT_TYPE, event, key.owner)
            if event_type is None:
                raise Problem("not_found", "There is no such event")
            found = await connection.fetch(_ENDPOINTS, key.owner, endpoint)
            if endpoint is not None and not found:
                raise Problem("not_found", "There is no such webhook endpoint")
            enabled = [row for row in found if row["status"] == "enabled"]
            chosen = [
                row["id"]
                for row in enabled
                if endpoint is not None or subscribes(row["enabled_events"], event_type)
            ]
            if not chosen:
                detail = None if endpoint is not None else "No enabled webhook endpoint takes such events"
                raise Problem("webhook_endpoint_disabled", detail)
            made = [await _again(connection, one, event, event_type) for one in chosen]
            return Done(event, 201, _page(made, len(made)))

        return await once(self._database, key, work)

    async def test(self, endpoint: str, key: Key) -> Answer:
        """201 with the delivery of a test event. Raises Problem(not_found | webhook_endpoint_disabled)."""

        async def work(connection: Connection) -> Done:
            row = await connection.fetchrow(_ENDPOINTS, key.owner, endpoint)
            if row is None:
                raise Problem("not_found", "There is no such webhook endpoint")
            if row["status"] != "enabled":
                raise Problem("webhook_endpoint_disabled")
            event, now = new_id(), utcnow()
            body = event_body(event, TEST, rfc3339(now), row["document"])
            trace = context.traceparent.get()
            await connection.execute(_KEEP_EVENT, event, key.owner, TEST, body, now, trace)
            made = await _again(connection, endpoint, event, TEST)
            return Done(endpoint, 201, made.encode())

        return await once(self._database, key, work)


async def _again(connection: Connection, endpoint: str, event: str, event_type: str) -> str:
    made: str | None = await connection.fetchval(_HASTEN, endpoint, event)
    if made is None:
        made = await connection.fetchval(_AGAIN, new_id(), endpoint, event, event_type)
    assert made is not None
    return made


def event_body(event: str, event_type: str, created: str, document: str) -> str:
    """An event as it is sent and shown; `document` is the JSON of what it is about."""
    body: dict[str, Any] = {
        "id": event,
        "object": "event",
        "type": event_type,
        "created": created,
        "data": {"object": msgspec.Raw(document.encode())},
    }
    return msgspec.json.encode(body).decode()


def _page(documents: list[str], limit: int) -> bytes:
    data = [msgspec.Raw(document.encode()) for document in documents[:limit]]
    return msgspec.json.encode({"object": "list", "data": data, "has_more": len(documents) > limit})
