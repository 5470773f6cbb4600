"""The payments in PostgreSQL. Each phase is one call of one function (migrations/*.sql)."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg
import msgspec

from payments.common import context
from payments.common.db import Database
from payments.common.ids import new_id
from payments.confirm import domain
from payments.confirm.domain import Action, Payment
from payments.confirm.idempotency import Key

REVISION = "0008"

_payment = msgspec.json.Decoder(Payment)

_CREATE = "SELECT * FROM payments.create_payment($1, $2, $3, $4, $5, $6, $7)"
_ACT = "SELECT * FROM payments.act($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
_SETTLE = "SELECT * FROM payments.settle($1, $2, $3, $4, $5, $6, $7, $8, $9)"
_RECALL = "SELECT * FROM payments.recall($1, $2, $3, $4)"
_ADVANCE = """
    UPDATE payments.payments SET stage = $3, assessment = coalesce($4, assessment), updated_at = now()
    WHERE id = $1 AND claim = $2 AND status = 'processing' RETURNING true"""
_POSTPONE = """
    UPDATE payments.payments SET unsettled = true, next_check_at = now() + $3, updated_at = now()
    WHERE id = $1 AND claim = $2 AND status = 'processing' RETURNING payments.document(payments)::text"""
_CLAIM_STUCK = "SELECT * FROM payments.claim_stuck($1, $2, $3)"
_TRACE = """
    SELECT traceparent FROM payments.outbox
    WHERE key = $1 AND topic = 'payment-events' AND traceparent IS NOT NULL ORDER BY id DESC LIMIT 1"""
_EXPIRE = "SELECT payments.expire($1, $2, $3, $4)"
_PURGE = """
    DELETE FROM payments.idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM payments.idempotency_keys WHERE created_at < now() - $1::interval LIMIT 1000))"""
_FORGET_SPENDING = """
    DELETE FROM payments.spending WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM payments.spending WHERE hour < now() - interval '8 days' LIMIT 1000))"""
_ALERT_STUCK = "SELECT * FROM payments.alert_stuck($1, $2)"
_UNFINISHED = """
    SELECT count(*) FILTER (WHERE processing_since < now() - $1::interval) AS stuck,
           coalesce(extract(epoch FROM now() - min(processing_since) FILTER (WHERE unsettled)), 0)::float8
               AS oldest
    FROM payments.payments WHERE status = 'processing'"""
_KEEP = """
    INSERT INTO payments.idempotency_keys (owner, route, key, fingerprint, subject)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (owner, route, key) DO UPDATE SET created_at = now()
    WHERE idempotency_keys.answer_status IS NULL AND idempotency_keys.fingerprint = excluded.fingerprint
        AND idempotency_keys.created_at < now() - $6::interval
    RETURNING true"""
_ANSWER = """
    UPDATE payments.idempotency_keys SET answer_status = $4, answer_body = $5
    WHERE owner = $1 AND route = $2 AND key = $3 AND answer_status IS NULL"""
_FORGET = """
    DELETE FROM payments.idempotency_keys
    WHERE owner = $1 AND route = $2 AND key = $3 AND answer_status IS NULL"""


class Recalled(NamedTuple):
    """What is known of a key: `fresh`, `open`, `key_reused` or `replay` (then with the answer)."""

    outcome: str
    subject: str | None = None
    status: int | None = None
    body: str | None = None


class Begun(NamedTuple):
    """What became of an action's first phase (see `payments.act` and `payments.begin_refund`)."""

    outcome: str
    status: int | None = None
    body: str | None = None


class Settled(NamedTuple):
    """What became of a payment's last phase: `settled` or `lost`; the payment now; the answer to give."""

    outcome: str
    document: str
    body: str


class Stuck(NamedTuple):
    """A payment whose outcome is not known for too long."""

    id: str
    since: datetime
    stage: str
    checks: int


class Unfinished(NamedTuple):
    """How many payments are stuck; seconds since the oldest one of unknown outcome was begun, 0 for none."""

    stuck: int
    oldest: float


class Store:
    """Reads and writes payments. Every call raises Problem(service_unavailable) without a database."""

    def __init__(self, database: Database, *, lease: timedelta, expiry: timedelta) -> None:
        self._database = database
        self._lease = lease
        self._expiry = expiry

    async def create(self, columns: dict[str, Any], key: Key) -> Recalled:
        """Create a payment and keep the answer; `created` or what the key says."""
        row = await self._database.fetchrow(
            _CREATE,
            msgspec.json.encode(columns).decode(),
            key.route,
            key.key,
            key.fingerprint,
            self._expiry,
            new_id(),
            context.traceparent.get(),
        )
        return Recalled("in_flight") if row is None or row["outcome"] is None else Recalled(*row.values())

    async def recall(self, key: Key) -> Recalled:
        """What is known of a key."""
        row = await self._database.fetchrow(_RECALL, key.owner, key.route, key.key, key.fingerprint)
        assert row is not None
        return Recalled(*row.values())

    async def act(
        self,
        payment_id: str,
        action: Action,
        key: Key,
        *,
        customer_id: str | None,
        changes: dict[str, Any],
        expected: dict[str, str] | None = None,
        claim: str | None = None,
    ) -> Begun:
        """Begin `action` (see `payments.act`); with `claim` the caller is to settle the payment."""
        try:
            row = await self._database.fetchrow(
                _ACT,
                payment_id,
                customer_id,
                key.owner,
                key.route,
                key.key,
                key.fingerprint,
                domain.sources(action),
                msgspec.json.encode({"status": domain.target(action), **changes}).decode(),
                None if expected is None else msgspec.json.encode(expected).decode(),
                domain.event_type(action),
                claim,
                self._lease,
                [new_id(), new_id()],
                context.traceparent.get(),
            )
        except asyncpg.UniqueViolationError:
            return Begun("key_reused")
        assert row is not None
        return Begun(*row.values())

    async def settle(
        self,
        payment: Payment,
        action: Action,
        changes: dict[str, Any],
        *,
        status_code: int | None = None,
        body: bytes | None = None,
    ) -> Settled:
        """End an attempt by `action`; with `status_code` the answer is final and kept."""
        row = await self._database.fetchrow(
            _SETTLE,
            payment.id,
            payment.claim,
            domain.sources(action),
            msgspec.json.encode({"status": domain.target(action), **changes}).decode(),
            domain.event_type(action),
            status_code,
            None if body is None else body.decode(),
            [new_id(), new_id()],
            context.traceparent.get(),
        )
        assert row is not None
        return Settled(*row.values())

    async def advance(self, payment: Payment, stage: str, assessment: dict[str, Any] | None = None) -> bool:
        """Commit a recovery point; False when somebody else has taken the payment over."""
        document = None if assessment is None else msgspec.json.encode(assessment).decode()
        return bool(await self._database.fetchval(_ADVANCE, payment.id, payment.claim, stage, document))

    async def postpone(self, payment: Payment, delay: timedelta) -> str | None:
        """Leave a payment to the janitor after `delay`; the payment, or None when it was taken over."""
        document: str | None = await self._database.fetchval(_POSTPONE, payment.id, payment.claim, delay)
        return document

    async def claim_stuck(self, limit: int) -> list[Payment]:
        """Payments whose attempt has ended without a result; they are the caller's for one lease."""
        rows = await self._database.fetch(_CLAIM_STUCK, new_id(), self._lease, limit)
        return [_payment.decode(row[0]) for row in rows]

    async def trace(self, payment_id: str) -> str | None:
        """The traceparent of the payment's last event that has one."""
        found: str | None = await self._database.fetchval(_TRACE, payment_id)
        return found

    async def expire(self, limit: int) -> int:
        """Cancel payments that nobody confirmed in time; how many it were."""
        changes = {
            "status": domain.target(Action.EXPIRE),
            "cancellation_reason": "expired",
            "next_action": None,
        }
        done: int = await self._database.fetchval(
            _EXPIRE,
            domain.sources(Action.EXPIRE),
            msgspec.json.encode(changes).decode(),
            domain.event_type(Action.EXPIRE),
            [new_id() for _ in range(limit)],
        )
        return done

    async def purge(self, age: timedelta) -> int:
        """Delete up to 1,000 idempotency keys older than `age`; how many it were."""
        return int((await self._database.execute(_PURGE, age)).rpartition(" ")[2])

    async def forget_spending(self) -> int:
        """Delete up to 1,000 hours of spending that no window reaches any more; how many it were."""
        return int((await self._database.execute(_FORGET_SPENDING)).rpartition(" ")[2])

    async def alert_stuck(self, age: timedelta, limit: int) -> list[Stuck]:
        """Tell of payments that are in processing for longer than `age`, once for each attempt."""
        rows = await self._database.fetch(_ALERT_STUCK, age, [new_id() for _ in range(limit)])
        return [Stuck(*row.values()) for row in rows]

    async def unfinished(self, age: timedelta) -> Unfinished:
        """Payments in processing, counted."""
        row = await self._database.fetchrow(_UNFINISHED, age)
        assert row is not None
        return Unfinished(*row.values())

    async def reserve_key(self, key: Key, subject: str) -> bool:
        """Take a key for work outside the database; False when it is taken (ask `recall` how)."""
        return bool(
            await self._database.fetchval(
                _KEEP, key.owner, key.route, key.key, key.fingerprint, subject, self._lease
            )
        )

    async def answer_key(self, key: Key, status: int, body: bytes) -> None:
        """Keep the final answer of a key."""
        await self._database.execute(_ANSWER, key.owner, key.route, key.key, status, body.decode())

    async def free_key(self, key: Key) -> None:
        """Let a key be used again, since its request had no effect."""
        await self._database.execute(_FORGET, key.owner, key.route, key.key)


def decode_payment(work: str) -> Payment:
    """The payment in the work that a phase hands out."""
    return _payment.decode(work)
