"""A provider for trials: keeps what it "sent" in a table, to be read by whoever tries the system out."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from payments.common.db import Database
from payments.notification.providers import NO_ADDRESS, Outcome, Outgoing

_INSERT = """
INSERT INTO notification.sandbox_messages (delivery_id, customer_id, type, channel, recipient, subject, body)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])"""
_SELECT = """
SELECT delivery_id, customer_id, type, channel, recipient, subject, body, created_at
FROM notification.sandbox_messages WHERE recipient = $1 OR customer_id = $1 ORDER BY id DESC LIMIT $2"""
_PURGE = """
DELETE FROM notification.sandbox_messages WHERE id IN (
    SELECT id FROM notification.sandbox_messages WHERE created_at < now() - $1::interval
    ORDER BY created_at LIMIT $2)"""
PURGE_BATCH = 1000


class SandboxMessage(msgspec.Struct):
    """A message that was not really sent."""

    id: str
    channel: str
    to: str
    subject: str
    body: str
    type: str
    customer_id: str
    created_at: datetime


class Sandbox:
    """See the module. A push message without a device goes to the customer's id."""

    name = "sandbox"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        """Keep the messages. Raises Problem(service_unavailable) when the database is away."""
        addressed = [(message, self._address(message)) for message in batch]
        rows = [
            (m.delivery_id, m.customer_id, m.type, m.channel, to, m.text.subject, m.text.body)
            for m, to in addressed
            if to
        ]
        if rows:
            await self._database.execute(_INSERT, *(list(column) for column in zip(*rows, strict=True)))
        return [Outcome(message_id=f"sandbox_{m.delivery_id}") if to else NO_ADDRESS for m, to in addressed]

    async def messages(self, to: str, limit: int) -> list[SandboxMessage]:
        """The newest messages to an address or customer id. Raises Problem(service_unavailable)."""
        return [
            SandboxMessage(
                id=f"sandbox_{row['delivery_id']}",
                channel=row["channel"],
                to=row["recipient"],
                subject=row["subject"],
                body=row["body"],
                type=row["type"],
                customer_id=row["customer_id"],
                created_at=row["created_at"],
            )
            for row in await self._database.fetch(_SELECT, to, limit)
        ]

    async def purge(self, retention: timedelta) -> int:
        """Forget a batch of messages older than that; how many."""
        return int((await self._database.execute(_PURGE, retention, PURGE_BATCH)).split()[-1])

    @staticmethod
    def _address(message: Outgoing) -> str | None:
        return message.to or (message.customer_id if message.channel == "push" else None)
