"""Customers for operators, decisions about them, and the end of verifications whose documents expired."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from payments.common import context
from payments.common.db import Database
from payments.common.errors import Problem
from payments.kyc.domain import Customer, Level, Verdict

_CUSTOMER = """
SELECT customer_id, status, level, kind, name, country, date_of_birth, documents_expire_on, version,
    updated_at
FROM kyc.customers """
# Who has expired today may not have been marked yet.
_STATUS = """
CASE WHEN status = 'verified' AND documents_expire_on < (now() AT TIME ZONE 'UTC')::date THEN 'expired'
     ELSE status END"""
_LIST = f"""{_CUSTOMER}
WHERE ($1::text IS NULL OR {_STATUS} = $1) AND ($2::text IS NULL OR customer_id > $2)
ORDER BY customer_id LIMIT $3"""
_ONE = f"{_CUSTOMER} WHERE customer_id = $1"
_DECISION = """
SELECT decision_id, customer_id, decision, reason, level, documents_expire_on, status_before, status,
    made_by, made_at
FROM """
_HISTORY = f"""{_DECISION} kyc.decisions
WHERE customer_id = $1 AND ($2::text IS NULL OR decision_id < $2) ORDER BY decision_id DESC LIMIT $3"""
# What this call has decided was made at the beginning of its transaction; anything else, before.
_DECIDE = f"""{_DECISION.replace("made_at", "made_at, made_at <> now() AS replayed")}
kyc.decide($1, $2, $3, $4, $5, $6, $7, $8)"""
_EXPIRE = "SELECT kyc.expire_documents($1)"
EXPIRE_BATCH = 100
EXPIRE_SECONDS = 60.0


class DecisionDocument(msgspec.Struct, kw_only=True):
    """A decision about a customer, and what it changed."""

    object: str = "kyc_decision"
    id: str
    customer_id: str
    decision: str
    reason: str
    level: str
    documents_expire_on: date | None
    status_before: str
    status: str
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """A decision to make. `request_key` names the request: the same one again decides nothing more."""

    customer_id: str
    verdict: Verdict
    reason: str
    level: Level | None
    documents_expire_on: date | None
    made_by: str
    request_key: str


class DecisionStore:
    """Every call raises Problem(service_unavailable) while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, status: str | None, after: str | None, limit: int
    ) -> list[tuple[Customer, datetime]]:
        """Customers by their ids, with the moment of their last change."""
        return [_customer(row) for row in await self._database.fetch(_LIST, status, after, limit)]

    async def get(self, customer_id: str) -> tuple[Customer, datetime]:
        """One customer. Raises Problem(not_found)."""
        row = await self._database.fetchrow(_ONE, customer_id)
        if row is None:
            raise Problem("not_found", "There is no such customer")
        return _customer(row)

    async def history(self, customer_id: str, after: str | None, limit: int) -> list[DecisionDocument]:
        """Decisions about a customer, the latest first."""
        return [_decision(row) for row in await self._database.fetch(_HISTORY, customer_id, after, limit)]

    async def decide(self, order: Order) -> tuple[DecisionDocument, bool]:
        """Decide; True with the decision when the request came before.

        Raises:
            Problem(not_found): there is no such customer.
            Problem(idempotency_key_reused): the request came before, for another decision.
        """
        try:
            row = await self._decide(order)
        except asyncpg.UniqueViolationError:  # at the same moment, about another customer
            row = await self._decide(order)
        if row is None:
            raise Problem("not_found", "There is no such customer")
        fields = dict(row)
        replayed = bool(fields.pop("replayed"))
        made = _decision(fields)
        if replayed and not _same(made, order):
            raise Problem("idempotency_key_reused")
        return made, replayed

    async def _decide(self, order: Order) -> Any:
        return await self._database.fetchrow(
            _DECIDE,
            order.customer_id,
            order.verdict,
            order.reason,
            order.level,
            order.documents_expire_on,
            order.made_by,
            order.request_key,
            context.traceparent.get(),
        )

    async def expire(self) -> float:
        """Step of a background loop: mark those whose documents have expired."""
        marked = await self._database.fetchval(_EXPIRE, EXPIRE_BATCH)
        return 0 if marked == EXPIRE_BATCH else EXPIRE_SECONDS


def _customer(row: Any) -> tuple[Customer, datetime]:
    fields = dict(row)
    changed: datetime = fields.pop("updated_at")
    return Customer(**fields), changed


def _same(made: DecisionDocument, order: Order) -> bool:
    asked = (order.customer_id, order.verdict, order.reason)
    expiry = order.documents_expire_on
    return (
        asked == (made.customer_id, made.decision, made.reason)
        and order.level in (None, made.level)
        and (order.verdict != "approve" or expiry == made.documents_expire_on)
    )


def _decision(row: Any) -> DecisionDocument:
    fields = dict(row)
    return DecisionDocument(id=fields.pop("decision_id"), **fields)
