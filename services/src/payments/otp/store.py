"""Calls the functions of the schema `otp`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from payments.common import context
from payments.common.db import Database
from payments.common.ids import new_id

SCHEMA = "otp"
REVISION = "0002"

_ISSUE = "SELECT * FROM otp.issue($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
_DELIVERED = "SELECT otp.delivered($1, $2, $3, $4, $5)"
_VERIFY = "SELECT * FROM otp.verify($1, $2, $3, $4, $5, $6)"
# A payment's tries go with it, so the retention must outlast the payment; both tables in one statement.
_PURGE = """
WITH old AS (
    SELECT payment_id FROM otp.payments p WHERE p.created_at < now() - $1::interval
        AND NOT EXISTS (SELECT FROM otp.challenges c
                        WHERE c.payment_id = p.payment_id AND c.created_at >= now() - $1::interval)
    ORDER BY p.created_at LIMIT $2 FOR UPDATE SKIP LOCKED),
codes AS (DELETE FROM otp.challenges c USING old WHERE c.payment_id = old.payment_id)
DELETE FROM otp.payments p USING old WHERE p.payment_id = old.payment_id"""
PURGE_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a code lives, how often it may be tried and sent again."""

    ttl: timedelta
    max_tries: int
    max_resends: int
    window: timedelta
    gap: timedelta


@dataclass(frozen=True, slots=True)
class Issued:
    """`expires_at` goes with send and active, `retry_after` (seconds) with limited."""

    outcome: Literal["send", "active", "limited", "exhausted", "foreign"]
    expires_at: datetime | None
    retry_after: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a try ended; ok only once for a code."""

    outcome: Literal["ok", "invalid", "expired", "exhausted", "not_found"]
    tries_left: int


class Store:
    """Challenges. Every call raises Problem(service_unavailable) while the database is away."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    async def issue(
        self,
        *,
        payment_id: str,
        customer_id: str,
        challenge_id: str,
        mac: bytes,
        binding: bytes,
        resend: bool,
    ) -> Issued:
        """Decide whether to send a code; on `send` the challenge is stored."""
        limits = self._limits
        row = await self._database.fetchrow(
            _ISSUE,
            payment_id,
            customer_id,
            challenge_id,
            mac,
            binding,
            resend,
            limits.ttl,
            limits.max_tries,
            limits.max_resends,
            limits.window,
            limits.gap,
        )
        assert row is not None
        return Issued(**row)

    async def delivered(self, challenge_id: str, *, sent: bool) -> None:
        """Note that the code was sent, or surely was not."""
        trace = context.traceparent.get()
        await self._database.execute(_DELIVERED, challenge_id, sent, self._limits.max_tries, new_id(), trace)

    async def verify(self, *, payment_id: str, customer_id: str, mac: bytes) -> Verdict:
        """Take a try and compare, atomically."""
        trace = context.traceparent.get()
        row = await self._database.fetchrow(
            _VERIFY, payment_id, customer_id, mac, self._limits.max_tries, [new_id(), new_id()], trace
        )
        assert row is not None
        return Verdict(**row)

    async def purge(self, retention: timedelta) -> int:
        """Forget payments without a code for so long, a batch of them; how many."""
        return int((await self._database.execute(_PURGE, retention, PURGE_BATCH)).split()[-1])

    async def ping(self) -> None:
        """Raises Problem(service_unavailable) when the database does not answer."""
        await self._database.fetchval("SELECT 1")

    async def ready(self) -> bool:
        """True when the database answers with the schema that this code needs."""
        return await self._database.ready(SCHEMA, REVISION)
