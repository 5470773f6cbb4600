"""Reads and writes `notification.deliveries`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from payments.common.db import Database
from payments.common.ids import new_id
from payments.notification.domain import Channel, Notification
from payments.notification.providers import Outcome

SCHEMA = "notification"
REVISION = "0002"

# Takes what nobody has delivered: new, failed, or begun by a process that has not come back.
_CLAIM = """
INSERT INTO notification.deliveries AS d (delivery_id, dedupe_key, channel, customer_id, type, provider)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
ON CONFLICT (dedupe_key, channel) DO UPDATE
    SET status = 'pending', attempts = d.attempts + 1, claimed_at = now(), provider = excluded.provider,
        error = NULL, permanent = false, finished_at = NULL
    WHERE d.status = 'failed' OR (d.status = 'pending' AND d.claimed_at < now() - $7::interval)
RETURNING delivery_id, dedupe_key, channel"""
_FINISH = """
UPDATE notification.deliveries AS d
SET status = CASE WHEN f.message_id IS NULL THEN 'failed' ELSE 'sent' END, provider_message_id = f.message_id,
    error = f.error, permanent = f.permanent, finished_at = now()
FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[])
    AS f (delivery_id, message_id, error, permanent)
WHERE d.delivery_id = f.delivery_id"""
_FIND = """
SELECT dedupe_key, channel, status, attempts, provider_message_id, error, permanent
FROM notification.deliveries WHERE dedupe_key = ANY($1::text[])"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What has become of a message on a channel."""

    status: Literal["pending", "sent", "failed"]
    attempts: int
    message_id: str | None
    error: str | None
    permanent: bool


Key = tuple[str, Channel]


class Store:
    """Deliveries. Every call raises Problem(service_unavailable) while the database is away.

    Args:
        claim: how long a delivery is left to the process that began it.
    """

    def __init__(self, database: Database, *, claim: timedelta) -> None:
        self._database = database
        self._claim = claim

    async def claim(self, wanted: Sequence[tuple[Notification, Channel, str]]) -> dict[Key, str]:
        """Take deliveries (message, channel, provider) to work on; what others have or did is left out.

        Returns:
            the delivery's id by dedupe key and channel.
        """
        if not wanted:
            return {}
        rows = await self._database.fetch(
            _CLAIM,
            [new_id() for _ in wanted],
            [notification.dedupe_key for notification, _, _ in wanted],
            [channel for _, channel, _ in wanted],
            [notification.customer_id for notification, _, _ in wanted],
            [notification.type for notification, _, _ in wanted],
            [provider for _, _, provider in wanted],
            self._claim,
        )
        return {(row["dedupe_key"], row["channel"]): row["delivery_id"] for row in rows}

    async def finish(self, outcomes: dict[str, Outcome]) -> None:
        """Note how deliveries ended, by their ids."""
        if outcomes:
            await self._database.execute(
                _FINISH,
                list(outcomes),
                [outcome.message_id for outcome in outcomes.values()],
                [outcome.error for outcome in outcomes.values()],
                [outcome.permanent for outcome in outcomes.values()],
            )

    async def find(self, dedupe_keys: Sequence[str]) -> dict[Key, Delivery]:
        """All deliveries of these messages."""
        rows = await self._database.fetch(_FIND, list(dedupe_keys))
        return {
            (row["dedupe_key"], row["channel"]): Delivery(
                row["status"], row["attempts"], row["provider_message_id"], row["error"], row["permanent"]
            )
            for row in rows
        }

    async def ping(self) -> None:
        """Raises Problem(service_unavailable) when the database does not answer."""
        await self._database.fetchval("SELECT 1")

    async def ready(self) -> bool:
        """True when the database answers with the schema that this code needs."""
        return await self._database.ready(SCHEMA, REVISION)
