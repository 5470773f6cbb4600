"""Reads and writes the schema `ofac`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from payments.common import context
from payments.common.db import Database
from payments.common.ids import new_id
from payments.contracts.event import PAYMENT_EVENTS
from payments.ofac.domain.decision import Action, Rule, Screening, Subject
from payments.ofac.domain.listing import Entry, Name
from payments.ofac.domain.names import key
from payments.ofac.sdn import birth_dates, documents

SCHEMA = "ofac"
REVISION = "0002"

_STATE = """
SELECT s.revision, r.rule_id, r.action, e.ent_num, e.fingerprint
FROM ofac.state s
    LEFT JOIN ofac.rules r ON (r.customer_id = $1 OR r.name_key = $2)
        AND r.revoked_at IS NULL AND (r.expires_at IS NULL OR r.expires_at > now())
    LEFT JOIN ofac.rule_entries e USING (rule_id)"""
# A rule that ends changes answers as much as a new one does.
_VERSION = """
SELECT revision, (SELECT count(*) FROM ofac.rules WHERE expires_at <= now()) AS ended FROM ofac.state"""
_REVISION = "SELECT revision FROM ofac.state"
_ACTIVE = """
SELECT l.id, l.hash, l.source, l.loaded_at, s.revision
FROM ofac.list_versions l, ofac.state s WHERE l.active"""
_ENTRIES = """
SELECT e.ent_num, e.type, e.name, e.programs, e.countries, e.remarks,
       coalesce(array_agg(ARRAY[a.kind, a.name] ORDER BY a.number) FILTER (WHERE a.name IS NOT NULL), '{}')
           AS aliases
FROM ofac.entries e LEFT JOIN ofac.aliases a USING (list_id, ent_num)
WHERE list_id = $1 GROUP BY list_id, ent_num ORDER BY ent_num"""
_RECORD = """
WITH decision AS (
    INSERT INTO ofac.decisions (decision_id, customer_id, name, country, date_of_birth, decision, score,
        reasons, matches, list_id, list_hash, revision, algorithm, review_threshold, match_threshold,
        request_id, rules)
    VALUES ($1, $2, $3, $4, $5, $6, $7::float8::numeric, $8, $9::jsonb, $10, $11, $12, $13,
        $14::float8::numeric, $15::float8::numeric, $16, $17))
INSERT INTO ofac.outbox (event_id, topic, key, type, payload, traceparent)
VALUES ($18, $19, $20, 'sanctions.screened', $21::jsonb, $22)"""


@dataclass(frozen=True, slots=True)
class ActiveList:
    """The list in force, as of a revision."""

    list_id: int
    hash: str
    revision: int
    entries: tuple[Entry, ...]
    source: str
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class Method:
    """What a decision was made with."""

    list_id: int
    list_hash: str
    revision: int
    algorithm: str
    review_threshold: float
    match_threshold: float


class Store:
    """Lists, rules, decisions. Every call raises Problem(service_unavailable) while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self, customer_id: str | None, name: str) -> tuple[int, list[Rule]]:
        """The revision now, and the rules in force for the customer or for the name."""
        rows = await self._database.fetch(_STATE, customer_id, key(name))
        return rows[0]["revision"], rules_of(row for row in rows if row["rule_id"] is not None)

    async def version(self) -> tuple[int, int]:
        """The revision, and how many rules have ended: both only grow."""
        row = await self._database.fetchrow(_VERSION)
        assert row is not None
        return row["revision"], row["ended"]

    async def revision(self) -> int:
        """Grows with every change of lists and rules."""
        return int(await self._database.fetchval(_REVISION))

    async def active_list(self, known: ActiveList | None) -> ActiveList | None:
        """The list in force, None when there is none; `known` spares reading its entries again."""
        async with self._database.transaction() as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            row = await connection.fetchrow(_ACTIVE)
            if row is None:
                return None
            if known is not None and known.list_id == row["id"]:
                entries = known.entries
            else:
                entries = tuple(_entry(found) for found in await connection.fetch(_ENTRIES, row["id"]))
            return ActiveList(
                row["id"], row["hash"], row["revision"], entries, row["source"], row["loaded_at"]
            )

    async def record(
        self, subject: Subject, screening: Screening, method: Method, matches: list[dict[str, Any]]
    ) -> str:
        """Store a decision together with its event; returns the decision's id."""
        decision_id = new_id()
        event = {
            "decision_id": decision_id,
            "customer_id": subject.customer_id,
            "decision": screening.decision,
            "score": round(screening.score, 4),
            "reasons": screening.reasons,
            "list_id": method.list_id,
            "list_hash": method.list_hash,
        }
        await self._database.execute(
            _RECORD,
            decision_id,
            subject.customer_id,
            subject.name,
            subject.country,
            subject.date_of_birth,
            screening.decision,
            round(screening.score, 4),
            list(screening.reasons),
            msgspec.json.encode(matches).decode(),
            method.list_id,
            method.list_hash,
            method.revision,
            method.algorithm,
            method.review_threshold,
            method.match_threshold,
            context.request_id.get(),
            list(screening.rules),
            new_id(),
            PAYMENT_EVENTS,
            subject.customer_id or decision_id,
            msgspec.json.encode(event).decode(),
            context.traceparent.get(),
        )
        return decision_id

    async def ready(self) -> bool:
        """True when the database answers with the schema that this code needs."""
        return await self._database.ready(SCHEMA, REVISION)


def rules_of(rows: Iterable[Any]) -> list[Rule]:
    """Rules from rows of rule_id, action, ent_num and fingerprint, one for each entry of a rule."""
    found: dict[str, tuple[Action, dict[int, str]]] = {}
    for row in rows:
        _, entries = found.setdefault(row["rule_id"], (row["action"], {}))
        if row["ent_num"] is not None:
            entries[row["ent_num"]] = row["fingerprint"]
    return [Rule(rule_id, action, entries) for rule_id, (action, entries) in found.items()]


def _entry(row: Any) -> Entry:
    aliases = tuple(Name(name, kind) for kind, name in row["aliases"])
    return Entry(
        ent_num=row["ent_num"],
        type=row["type"],
        names=(Name(row["name"], "primary"), *aliases),
        programs=tuple(row["programs"]),
        countries=tuple(row["countries"]),
        birth_dates=birth_dates(row["remarks"]),
        documents=documents(row["remarks"]),
        remarks=row["remarks"],
    )
