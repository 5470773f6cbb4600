"""Turns the outbox into deliveries: one for each event and endpoint that has subscribed to it, exactly once.

The payment path knows nothing of webhooks. This relay follows the outbox by its gapless sequence; the cursor
moves in the transaction that writes the deliveries. One replica at a time does it (it locks the cursor).
Events are kept only for customers who have an endpoint: others cost one look at an index.
"""

from collections.abc import Callable

import asyncpg

from payments.common.background import Loop
from payments.common.clock import rfc3339
from payments.common.db import Database
from payments.common.ids import new_id
from payments.common.outbox import Numbering
from payments.confirm.webhooks.trail import event_body
from payments.contracts.webhook import TYPES, subscribes

BATCH = 500
IDLE_SECONDS = 0.5

_CURSOR = "SELECT sequence FROM payments.webhook_cursor FOR UPDATE SKIP LOCKED"
_MOVE = "UPDATE payments.webhook_cursor SET sequence = $1"
_NEXT = """
    SELECT max(sequence) AS last, count(*) AS count FROM (
        SELECT sequence FROM payments.outbox WHERE topic = 'payment-events' AND sequence > $1
        ORDER BY sequence LIMIT $2) AS next"""
# The public documents alone: what only the platform may see is no member of these types. Events mask account
# numbers; a merchant sees the own ones as in every answer.
_EVENTS = """
    SELECT event_id, type, created_at, traceparent, payload->>'customer_id' AS customer_id,
        CASE split_part(type, '.', 1)
            WHEN 'payment' THEN to_json(jsonb_populate_record(NULL::payments.payment_document, payload || (
                SELECT jsonb_build_object('from_account', p.from_account, 'to_account', p.to_account)
                FROM payments.payments AS p WHERE p.id = payload->>'id')))
            WHEN 'refund' THEN to_json(jsonb_populate_record(NULL::payments.refund_document, payload))
            ELSE to_json(jsonb_populate_record(NULL::payments.webhook_endpoint_document, payload))
        END::text AS document
    FROM payments.outbox
    WHERE topic = 'payment-events' AND sequence > $1 AND sequence <= $2 AND type = ANY ($3)
        AND EXISTS (SELECT FROM payments.webhook_endpoints WHERE customer_id = payload->>'customer_id')
    ORDER BY sequence"""
_ENDPOINTS = """
    SELECT id, customer_id, enabled_events, created_at FROM payments.webhook_endpoints
    WHERE customer_id = ANY ($1) AND status = 'enabled'"""
_KEEP_EVENTS = """
    INSERT INTO payments.webhook_events (id, customer_id, type, body, created_at, traceparent)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
    ON CONFLICT DO NOTHING"""
_KEEP_DELIVERIES = """
    INSERT INTO payments.webhook_deliveries (id, endpoint_id, event_id, event_type)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
    ON CONFLICT DO NOTHING"""


class Fanout(Loop):
    """Follows the outbox; calls `made` when there is something to send."""

    def __init__(self, database: Database, *, made: Callable[[], None]) -> None:
        super().__init__("webhook relay", self._step)
        self._database = database
        self._numbering = Numbering("payments")
        self._made = made

    async def _step(self) -> float:
        # The relay to Kafka numbers the rows, too; webhooks go on when it is kept waiting.
        await self._numbering.number_due(self._database)
        async with self._database.transaction() as connection:
            cursor = await connection.fetchval(_CURSOR)
            if cursor is None:
                return IDLE_SECONDS
            found = await connection.fetchrow(_NEXT, cursor, BATCH)
            assert found is not None
            if found["last"] is None:
                return IDLE_SECONDS
            events = await connection.fetch(_EVENTS, cursor, found["last"], list(TYPES))
            if events:
                customers = list({event["customer_id"] for event in events})
                endpoints = await connection.fetch(_ENDPOINTS, customers)
                await connection.execute(_KEEP_EVENTS, *_event_columns(events))
                await connection.execute(_KEEP_DELIVERIES, *_delivery_columns(events, endpoints))
            await connection.execute(_MOVE, found["last"])
        if events:
            self._made()
        return 0 if found["count"] == BATCH else IDLE_SECONDS


def _event_columns(events: list[asyncpg.Record]) -> tuple[list[object], ...]:
    rows = [
        (
            event["event_id"],
            event["customer_id"],
            event["type"],
            event_body(event["event_id"], event["type"], rfc3339(event["created_at"]), event["document"]),
            event["created_at"],
            event["traceparent"],
        )
        for event in events
    ]
    return tuple(list(column) for column in zip(*rows, strict=True))


def _delivery_columns(
    events: list[asyncpg.Record], endpoints: list[asyncpg.Record]
) -> tuple[list[str], list[str], list[str], list[str]]:
    """Ids, endpoints, events and types of the deliveries; none of an event before the endpoint was there."""
    of: dict[str, list[asyncpg.Record]] = {}
    for endpoint in endpoints:
        of.setdefault(endpoint["customer_id"], []).append(endpoint)
    pairs = [
        (endpoint["id"], event["event_id"], event["type"])
        for event in events
        for endpoint in of.get(event["customer_id"], [])
        if event["created_at"] >= endpoint["created_at"]
        and subscribes(endpoint["enabled_events"], event["type"])
    ]
    return [new_id() for _ in pairs], [p[0] for p in pairs], [p[1] for p in pairs], [p[2] for p in pairs]
