"""The refunds in PostgreSQL: one function for each phase (migrations/*.sql)."""

from datetime import timedelta

import asyncpg
import msgspec

from payments.common import context
from payments.common.db import Database
from payments.common.errors import Problem
from payments.common.ids import new_id
from payments.confirm import measures
from payments.confirm.bodies import CreateRefund
from payments.confirm.domain import Refund
from payments.confirm.idempotency import Key
from payments.confirm.store import Begun

_refund = msgspec.json.Decoder(Refund)

_BEGIN = "SELECT * FROM payments.begin_refund($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
_SETTLE = "SELECT outcome, document FROM payments.settle_refund($1, $2, $3, $4, $5, $6, $7, $8)"
_DROP = "SELECT payments.drop_refund($1, $2)"
_POSTPONE = """
    UPDATE payments.refunds SET next_check_at = now() + $3, updated_at = now()
    WHERE id = $1 AND claim = $2 AND status = 'pending' RETURNING payments.refund_document(refunds)::text"""
_CLAIM_STUCK = "SELECT * FROM payments.claim_refunds($1, $2, $3)"


class Refunds:
    """Reads and writes refunds. Every call raises Problem(service_unavailable) without a database."""

    def __init__(self, database: Database, *, lease: timedelta) -> None:
        self._database = database
        self._lease = lease

    async def begin(
        self,
        payment_id: str,
        body: CreateRefund,
        key: Key,
        *,
        customer_id: str | None,
        claim: str,
        bank_reference: str,
    ) -> Begun:
        """Write a refund down, or say why not (see `payments.begin_refund`).

        `bank_reference`: to ask the partner bank under, when the payment went there.
        """
        try:
            row = await self._database.fetchrow(
                _BEGIN,
                payment_id,
                customer_id,
                key.owner,
                key.route,
                key.key,
                key.fingerprint,
                new_id(),
                body.amount,
                body.reason,
                claim,
                self._lease,
                bank_reference,
            )
        except asyncpg.UniqueViolationError:  # the key was used with another payment at this very moment
            return Begun("key_reused")
        assert row is not None
        return Begun(*row.values())

    async def succeed(self, refund: Refund) -> str:
        """The money is back; the refund as it is now."""
        return await self._settle(refund, "succeeded", None, 201, None)

    async def fail(self, refund: Refund, problem: Problem, body: bytes) -> str:
        """The refund was refused for good; the refund as it is now."""
        failure = msgspec.json.encode({"code": problem.code, "message": problem.kind.title}).decode()
        return await self._settle(refund, "failed", failure, problem.status, body)

    async def _settle(
        self, refund: Refund, status: str, failure: str | None, code: int, body: bytes | None
    ) -> str:
        row = await self._database.fetchrow(
            _SETTLE,
            refund.id,
            refund.claim,
            status,
            failure,
            code,
            None if body is None else body.decode(),
            [new_id(), new_id(), new_id()],
            context.traceparent.get(),
        )
        assert row is not None
        if row["outcome"] != "lost":
            measures.refunded(refund, status)
        document: str = row["document"]
        return document

    async def drop(self, refund: Refund) -> None:
        """Forget a refund that surely had no effect; its key can be used again."""
        await self._database.fetchval(_DROP, refund.id, refund.claim)

    async def postpone(self, refund: Refund, delay: timedelta) -> str | None:
        """Leave a refund to the janitor after `delay`; the refund, or None when it was taken over."""
        document: str | None = await self._database.fetchval(_POSTPONE, refund.id, refund.claim, delay)
        return document

    async def claim_stuck(self, limit: int) -> list[Refund]:
        """Refunds whose request has ended without a result; they are the caller's for one lease."""
        rows = await self._database.fetch(_CLAIM_STUCK, new_id(), self._lease, limit)
        return [_refund.decode(row[0]) for row in rows]
