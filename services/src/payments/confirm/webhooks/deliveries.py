"""The deliveries in PostgreSQL: claimed, ended, let go, pruned (see migrations/0004_webhooks.sql, 0008)."""

from datetime import timedelta
from typing import NamedTuple

from payments.common.db import Database
from payments.common.ids import new_id
from payments.confirm.webhooks.sender import Attempt

_CLAIM = "SELECT * FROM payments.claim_traced_webhooks($1, $2, $3, $4)"
_END = "SELECT payments.end_webhook($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
_RELEASE = """
    UPDATE payments.webhook_deliveries SET claim = NULL, next_attempt_at = now(), attempts = attempts - 1
    WHERE id = ANY ($1) AND claim = $2"""
# Deliveries go with their event.
_PRUNE = """
    DELETE FROM payments.webhook_events WHERE id IN (
        SELECT id FROM payments.webhook_events WHERE created_at < now() - $1::interval
        ORDER BY created_at LIMIT 1000 FOR UPDATE SKIP LOCKED)"""
_PRUNE_SECRETS = "DELETE FROM payments.webhook_secrets WHERE expires_at < now()"


class Delivery(NamedTuple):
    """A claimed delivery. `secrets` sign it, the newest first; `attempt` counts from 1.

    `traceparent` is that of the request which made the event, None when it had none.
    """

    id: str
    endpoint_id: str
    event_id: str
    url: str
    body: str
    secrets: list[str]
    attempt: int
    traceparent: str | None

    def __repr__(self) -> str:  # secrets and customers' data belong in no log
        return f"Delivery({self.id}, attempt {self.attempt})"


class Deliveries:
    """What is to be sent. Every call raises Problem(service_unavailable) without a database.

    Args:
        lease: a claimed delivery that has not been ended within it is handed out again.
        parallel: deliveries of one endpoint at a time, among all replicas.
        patience: an endpoint that has only failed for so long is disabled.
    """

    def __init__(self, database: Database, *, lease: timedelta, parallel: int, patience: timedelta) -> None:
        self._database = database
        self._lease = lease
        self._parallel = parallel
        self._patience = patience
        self._claim = new_id()  # of this process

    async def claim(self, limit: int) -> list[Delivery]:
        """Up to `limit` due deliveries, the caller's for one lease."""
        rows = await self._database.fetch(_CLAIM, self._claim, self._lease, limit, self._parallel)
        return [Delivery(*row.values()) for row in rows]

    async def end(
        self, delivery: Delivery, outcome: str, attempt: Attempt, delay: timedelta | None = None
    ) -> bool:
        """Write down how an attempt ended (see `payments.end_webhook`); False when the lease had run out."""
        ended: bool = await self._database.fetchval(
            _END,
            delivery.id,
            self._claim,
            outcome,
            delay,
            attempt.duration_ms,
            attempt.status,
            attempt.error,
            attempt.response,
            self._patience,
            new_id(),
        )
        return ended

    async def release(self, deliveries: list[Delivery]) -> None:
        """Give back what was not sent."""
        await self._database.execute(_RELEASE, [delivery.id for delivery in deliveries], self._claim)

    async def prune(self, age: timedelta) -> int:
        """Delete up to 1,000 events older than `age`, and rolled secrets; how many events it were."""
        await self._database.execute(_PRUNE_SECRETS)
        return int((await self._database.execute(_PRUNE, age)).rpartition(" ")[2])
