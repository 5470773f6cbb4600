"""Reads and writes the rules that operators make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from payments.common import context
from payments.common.db import Database
from payments.common.errors import Problem
from payments.common.ids import new_id
from payments.contracts.event import PAYMENT_EVENTS
from payments.ofac.domain.decision import Action
from payments.ofac.domain.names import key

_FIELDS = """
SELECT r.rule_id, r.action, r.customer_id, r.name, r.reason, r.made_by, r.made_at, r.expires_at, r.revoked_at,
    r.revoked_by, r.revoke_reason,
    ARRAY(SELECT e.ent_num FROM ofac.rule_entries e WHERE e.rule_id = r.rule_id ORDER BY 1) AS entries,
    r.revoked_at IS NULL AND (r.expires_at IS NULL OR r.expires_at > now()) AS in_force
FROM ofac.rules r """
_LIST = (
    _FIELDS
    + """
WHERE ($1::text IS NULL OR r.customer_id = $1) AND ($2::text IS NULL OR r.name_key = $2)
    AND ($3::bool IS NULL OR $3 = (r.revoked_at IS NULL AND (r.expires_at IS NULL OR r.expires_at > now())))
    AND ($4::text IS NULL OR r.rule_id < $4)
ORDER BY r.rule_id DESC LIMIT $5"""
)
_ONE = _FIELDS + "WHERE r.rule_id = $1"
_CREATE = """
INSERT INTO ofac.rules (customer_id, name, name_key, action, reason, made_by, expires_at, request_key)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (request_key) DO NOTHING RETURNING rule_id"""
_BY_KEY = _FIELDS + "WHERE r.request_key = $1"
_ENTRY = "INSERT INTO ofac.rule_entries (rule_id, ent_num, fingerprint) VALUES ($1, $2, $3)"
_REVOKE = """
UPDATE ofac.rules SET revoked_at = now(), revoked_by = $2, revoke_reason = $3
WHERE rule_id = $1 AND revoked_at IS NULL RETURNING rule_id"""
_TELL = """
INSERT INTO ofac.outbox (event_id, topic, key, type, payload, traceparent)
VALUES ($1, $2, $3, $4, $5::jsonb, $6)"""


class RuleDocument(msgspec.Struct, kw_only=True):
    """A rule as operators see it; `entries` are the numbers of the list's entries that it allows."""

    object: str = "screening_rule"
    id: str
    action: Action
    customer_id: str | None
    name: str | None
    entries: list[int]
    reason: str
    made_by: str
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    revoke_reason: str | None
    in_force: bool


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule to make: about a customer or about a name. `entries` are fingerprints by ent_num.

    `request_key` names the request: the same one again makes no second rule.
    """

    request_key: str
    action: Action
    customer_id: str | None
    name: str | None
    reason: str
    made_by: str
    expires_at: datetime | None
    entries: Mapping[int, str] = field(default_factory=dict)


class RuleStore:
    """Rules. Every call raises Problem(service_unavailable) while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        *,
        customer_id: str | None,
        name: str | None,
        in_force: bool | None,
        after: str | None,
        limit: int,
    ) -> list[RuleDocument]:
        """Rules, the latest first."""
        name_key = None if name is None else key(name)
        rows = await self._database.fetch(_LIST, customer_id, name_key, in_force, after, limit)
        return [_document(row) for row in rows]

    async def get(self, rule_id: str) -> RuleDocument:
        """One rule. Raises Problem(not_found)."""
        row = await self._database.fetchrow(_ONE, rule_id)
        if row is None:
            raise Problem("not_found", "There is no such rule")
        return _document(row)

    async def create(self, rule: NewRule) -> tuple[RuleDocument, bool]:
        """Make a rule, with its event; True with the rule as it was made when the request came before.

        Raises:
            Problem(idempotency_key_reused): it came before, for another rule.
        """
        name_key = None if rule.name is None else key(rule.name)
        async with self._database.transaction() as connection:
            made = await connection.fetchval(
                _CREATE,
                rule.customer_id,
                rule.name,
                name_key,
                rule.action,
                rule.reason,
                rule.made_by,
                rule.expires_at,
                rule.request_key,
            )
            if made is None:
                earlier = _document(await connection.fetchrow(_BY_KEY, rule.request_key))
                if not _same(earlier, rule):
                    raise Problem("idempotency_key_reused")
                return as_made(earlier), True
            entries = [(made, number, fingerprint) for number, fingerprint in rule.entries.items()]
            await connection.executemany(_ENTRY, entries)
            document = _document(await connection.fetchrow(_ONE, made))
            await self._tell(connection, "sanctions.rule_created", document)
            return document, False

    async def revoke(self, rule_id: str, *, by: str, reason: str | None) -> RuleDocument:
        """End a rule, with its event; one that has ended stays as it is. Raises Problem(not_found)."""
        async with self._database.transaction() as connection:
            if await connection.fetchval(_REVOKE, rule_id, by, reason) is not None:
                document = _document(await connection.fetchrow(_ONE, rule_id))
                await self._tell(connection, "sanctions.rule_revoked", document)
        return await self.get(rule_id)

    @staticmethod
    async def _tell(connection: Any, kind: str, rule: RuleDocument) -> None:
        # Names and reasons are personal data: they stay in the table.
        event = {
            "rule_id": rule.id,
            "action": rule.action,
            "customer_id": rule.customer_id,
            "entries": rule.entries,
            "by": rule.revoked_by if kind.endswith("revoked") else rule.made_by,
            "expires_at": rule.expires_at,
        }
        payload = msgspec.json.encode(event).decode()
        subject = rule.customer_id or rule.id
        await connection.execute(
            _TELL, new_id(), PAYMENT_EVENTS, subject, kind, payload, context.traceparent.get()
        )


def as_made(rule: RuleDocument) -> RuleDocument:
    """The rule as the answer to its request told it, whatever has become of it since."""
    return msgspec.structs.replace(rule, revoked_at=None, revoked_by=None, revoke_reason=None, in_force=True)


def _same(made: RuleDocument, rule: NewRule) -> bool:
    asked = (rule.action, rule.customer_id, rule.name, rule.reason, rule.expires_at, sorted(rule.entries))
    return asked == (made.action, made.customer_id, made.name, made.reason, made.expires_at, made.entries)


def _document(row: Any) -> RuleDocument:
    return RuleDocument(id=row["rule_id"], **{name: row[name] for name in _COLUMNS})


_COLUMNS = (
    "action", "customer_id", "name", "entries", "reason", "made_by", "made_at", "expires_at", "revoked_at",
    "revoked_by", "revoke_reason", "in_force",
)  # fmt: skip
