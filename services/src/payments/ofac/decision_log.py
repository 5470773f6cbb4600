"""Reads back what was decided, by which list and which method."""

from datetime import date, datetime
from typing import Any

import msgspec

from payments.common.db import Database
from payments.common.errors import Problem
from payments.ofac.domain.decision import Decision

_FIELDS = """
SELECT decision_id, customer_id, name, country, date_of_birth, decision, score::float8 AS score, reasons,
    matches, rules, list_id, list_hash, algorithm, review_threshold::float8 AS review_threshold,
    match_threshold::float8 AS match_threshold, occasion, request_id, made_at
FROM ofac.decisions """
_LIST = (
    _FIELDS
    + """
WHERE ($1::text IS NULL OR customer_id = $1) AND ($2::text IS NULL OR decision = $2)
    AND ($3::text IS NULL OR decision_id < $3)
ORDER BY decision_id DESC LIMIT $4"""
)
_ONE = _FIELDS + "WHERE decision_id = $1"


class DecisionDocument(msgspec.Struct, kw_only=True):
    """A decision with all that made it."""

    object: str = "screening_decision"
    id: str
    customer_id: str | None
    name: str
    country: str | None
    date_of_birth: date | None
    decision: Decision
    score: float
    reasons: list[str]
    matches: msgspec.Raw
    rules: list[str]
    list_version: int
    list_hash: str
    algorithm: str
    algorithm_version: str
    review_threshold: float
    match_threshold: float
    occasion: str
    request_id: str
    made_at: datetime


class DecisionLog:
    """Decisions. Every call raises Problem(service_unavailable) while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, *, customer_id: str | None, decision: str | None, after: str | None, limit: int
    ) -> list[DecisionDocument]:
        """Decisions, the latest first (their ids grow with time)."""
        return [_read(row) for row in await self._database.fetch(_LIST, customer_id, decision, after, limit)]

    async def get(self, decision_id: str) -> DecisionDocument:
        """One decision. Raises Problem(not_found)."""
        row = await self._database.fetchrow(_ONE, decision_id)
        if row is None:
            raise Problem("not_found", "There is no such decision")
        return _read(row)


def _read(row: Any) -> DecisionDocument:
    fields = dict(row)
    algorithm, _, version = fields.pop("algorithm").partition("/")
    return DecisionDocument(
        id=fields.pop("decision_id"),
        list_version=fields.pop("list_id"),
        matches=msgspec.Raw(fields.pop("matches").encode()),
        algorithm=algorithm,
        algorithm_version=version,
        **fields,
    )
