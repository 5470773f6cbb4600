"""The progress and the findings of rescreenings."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from payments.common.db import Database
from payments.common.errors import Problem
from payments.common.ids import new_id
from payments.contracts.event import PAYMENT_EVENTS
from payments.ofac.domain.decision import Decision, Rule, Screening, Subject
from payments.ofac.domain.names import key
from payments.ofac.screening import described
from payments.ofac.store import Method, rules_of

# A list needs rescreening from the moment that it is in force; others are not gone on with.
_OPEN = """
WITH started AS (
    INSERT INTO ofac.rescreenings (list_id) SELECT id FROM ofac.list_versions WHERE active
    ON CONFLICT DO NOTHING RETURNING list_id),
ended AS (
    UPDATE ofac.rescreenings r SET state = 'superseded', finished_at = now()
    WHERE state = 'running'
        AND NOT EXISTS (SELECT FROM ofac.list_versions l WHERE l.id = r.list_id AND l.active))
SELECT EXISTS (SELECT FROM started) OR EXISTS (
    SELECT FROM ofac.rescreenings r JOIN ofac.list_versions l ON l.id = r.list_id
    WHERE l.active AND r.state = 'running')"""
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('ofac.rescreenings'))"
_CURRENT = """
SELECT r.list_id, r.reached, s.revision
FROM ofac.rescreenings r JOIN ofac.list_versions l ON l.id = r.list_id, ofac.state s
WHERE l.active AND r.state = 'running' FOR UPDATE OF r"""
_RULES = """
SELECT r.customer_id, r.name_key, r.rule_id, r.action, e.ent_num, e.fingerprint
FROM ofac.rules r LEFT JOIN ofac.rule_entries e USING (rule_id)
WHERE (r.customer_id = ANY($1) OR r.name_key = ANY($2))
    AND r.revoked_at IS NULL AND (r.expires_at IS NULL OR r.expires_at > now())"""
# What the last list that was gone through had flagged.
_BEFORE = """
SELECT customer_id, decision, entries FROM ofac.flagged
WHERE customer_id = ANY($1) AND list_id = (
    SELECT max(list_id) FROM ofac.rescreenings WHERE state = 'done' AND list_id < $2)"""
_DECISION = """
INSERT INTO ofac.decisions (decision_id, customer_id, name, country, date_of_birth, decision, score, reasons,
    matches, rules, list_id, list_hash, revision, algorithm, review_threshold, match_threshold,
    request_id, occasion)
VALUES ($1, $2, $3, $4, $5, $6, $7::float8::numeric, $8, $9::jsonb, $10, $11, $12, $13, $14,
    $15::float8::numeric, $16::float8::numeric, $17, 'rescreening')"""
_FLAG = """
INSERT INTO ofac.flagged (list_id, customer_id, decision_id, decision, entries, newly)
VALUES ($1, $2, $3, $4, $5, $6)"""
_EVENT = """
INSERT INTO ofac.outbox (event_id, topic, key, type, payload) VALUES ($1, $2, $3, $4, $5::jsonb)"""
_PROGRESS = """
UPDATE ofac.rescreenings SET
    reached = $2, screened = screened + $3, flagged = flagged + $4, newly = newly + $5,
    state = CASE WHEN $6 THEN 'done' ELSE state END, finished_at = CASE WHEN $6 THEN now() END
WHERE list_id = $1 RETURNING screened, flagged, newly"""
_FIELDS = """
SELECT r.list_id, l.hash, l.source, r.state, r.screened, r.flagged, r.newly, r.started_at, r.finished_at
FROM ofac.rescreenings r JOIN ofac.list_versions l ON l.id = r.list_id """
_LIST = _FIELDS + "WHERE $1::bigint IS NULL OR r.list_id < $1 ORDER BY r.list_id DESC LIMIT $2"
_ONE = _FIELDS + "WHERE r.list_id = $1"
_FLAGGED = """
SELECT customer_id, decision_id, decision, entries, newly FROM ofac.flagged
WHERE list_id = $1 AND ($2::text IS NULL OR customer_id > $2) ORDER BY customer_id LIMIT $3"""

_ORDER = {"clear": 0, "possible_match": 1, "match": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a customer's screening found."""

    subject: Subject
    screening: Screening

    @property
    def entries(self) -> list[int]:
        """The entries that are, or may be, meant."""
        return [m.hit.entry.ent_num for m in self.screening.matches if m.decision != "clear"]


class RescreeningDocument(msgspec.Struct, kw_only=True):
    """One list's rescreening; `newly` of the `flagged` customers were not flagged by the list before."""

    object: str = "rescreening"
    list_version: int
    list_hash: str
    source: str
    state: Literal["running", "done", "superseded"]
    screened: int
    flagged: int
    newly_flagged: int
    started_at: datetime
    finished_at: datetime | None


class FlaggedDocument(msgspec.Struct, kw_only=True):
    """A customer whom the list flagged."""

    object: str = "flagged_customer"
    customer_id: str
    decision_id: str
    decision: Decision
    entries: list[int]
    newly: bool


class Work:
    """One batch, within its transaction. `reached` is the last customer of the batch before."""

    def __init__(self, connection: Any, list_id: int, reached: str, revision: int) -> None:
        self._connection = connection
        self.list_id = list_id
        self.reached = reached
        self.revision = revision

    async def rules(self, subjects: Sequence[tuple[str, str]]) -> list[list[Rule]]:
        """The rules in force for each of (customer, name)."""
        keys = [key(name) for _, name in subjects]
        rows = await self._connection.fetch(_RULES, [customer for customer, _ in subjects], keys)
        about: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in rows:
            subject = ("customer", row["customer_id"]) if row["customer_id"] else ("name", row["name_key"])
            about[subject].append(row)
        return [
            rules_of([*about["customer", customer], *about["name", name_key]])
            for (customer, _), name_key in zip(subjects, keys, strict=True)
        ]

    async def save(self, findings: Sequence[Finding], method: Method, *, done: bool) -> int:
        """Keep a batch and how far it got; how many customers are newly flagged.

        Decisions are stored of those who are flagged; that the others are clear says the report.
        """
        flagged = [finding for finding in findings if finding.screening.decision != "clear"]
        rows = await self._connection.fetch(
            _BEFORE, [finding.subject.customer_id for finding in flagged], self.list_id
        )
        before = {row["customer_id"]: row for row in rows}
        newly = 0
        for finding in flagged:
            old = before.get(finding.subject.customer_id)
            new = old is None or _graver(finding, old["decision"], set(old["entries"]))
            newly += new
            await self._flag(finding, method, new=new)
        reached = findings[-1].subject.customer_id if findings else self.reached
        totals = await self._connection.fetchrow(
            _PROGRESS, self.list_id, reached, len(findings), len(flagged), newly, done
        )
        if done:
            event = {"list_id": self.list_id, "list_hash": method.list_hash, **dict(totals)}
            await self._tell(f"list-{self.list_id}", "sanctions.rescreened", event)
        return newly

    async def _flag(self, finding: Finding, method: Method, *, new: bool) -> None:
        subject, screening, decision_id = finding.subject, finding.screening, new_id()
        await self._connection.execute(
            _DECISION,
            decision_id,
            subject.customer_id,
            subject.name,
            subject.country,
            subject.date_of_birth,
            screening.decision,
            round(screening.score, 4),
            list(screening.reasons),
            msgspec.json.encode(described(screening)).decode(),
            list(screening.rules),
            method.list_id,
            method.list_hash,
            method.revision,
            method.algorithm,
            method.review_threshold,
            method.match_threshold,
            f"rescreening-{self.list_id}",
        )
        await self._connection.execute(
            _FLAG,
            self.list_id,
            subject.customer_id,
            decision_id,
            screening.decision,
            finding.entries,
            new,
        )
        if new:
            event = {
                "customer_id": subject.customer_id,
                "decision_id": decision_id,
                "decision": screening.decision,
                "score": round(screening.score, 4),
                "list_id": method.list_id,
                "list_hash": method.list_hash,
            }
            await self._tell(str(subject.customer_id), "customer.flagged", event)

    async def _tell(self, subject: str, kind: str, event: dict[str, Any]) -> None:
        payload = msgspec.json.encode(event).decode()
        await self._connection.execute(_EVENT, new_id(), PAYMENT_EVENTS, subject, kind, payload)


class RescreenStore:
    """Rescreenings. Every call raises Problem(service_unavailable) while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self) -> bool:
        """True when the list in force has not been gone through yet."""
        return bool(await self._database.fetchval(_OPEN))

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work | None]:
        """The next batch; None when another instance has it, or there is none."""
        async with self._database.transaction() as connection:
            row = None
            if await connection.fetchval(_LOCK):
                row = await connection.fetchrow(_CURRENT)
            yield None if row is None else Work(connection, row["list_id"], row["reached"], row["revision"])

    async def page(self, after: int | None, limit: int) -> list[RescreeningDocument]:
        """Rescreenings, the latest first."""
        return [_document(row) for row in await self._database.fetch(_LIST, after, limit)]

    async def get(self, list_id: int) -> RescreeningDocument:
        """One list's. Raises Problem(not_found)."""
        row = await self._database.fetchrow(_ONE, list_id)
        if row is None:
            raise Problem("not_found", "There is no rescreening of this list")
        return _document(row)

    async def flagged(self, list_id: int, after: str | None, limit: int) -> list[FlaggedDocument]:
        """The customers whom a list flagged, by their ids."""
        rows = await self._database.fetch(_FLAGGED, list_id, after, limit)
        return [FlaggedDocument(**dict(row)) for row in rows]


def _graver(finding: Finding, decision: str, entries: set[int]) -> bool:
    graver = _ORDER[finding.screening.decision] > _ORDER[decision]
    return graver or not set(finding.entries) <= entries


def _document(row: Any) -> RescreeningDocument:
    fields = dict(row)
    return RescreeningDocument(
        list_version=fields.pop("list_id"),
        list_hash=fields.pop("hash"),
        newly_flagged=fields.pop("newly"),
        **fields,
    )
