"""Whether a restored database is the one that was backed up, and its books are right."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from payments.backup.manifest import Manifest, parse
from payments.verification.check import Check
from payments.verification.checks import LEDGER, MONEY, RECONCILIATION, TRAIL
from payments.verification.report import Outcome
from payments.verification.snapshot import snapshot

log = logging.getLogger(__name__)
#: At the moment of the backup something younger than this may have been on its way from one book to the next.
ON_ITS_WAY = timedelta(minutes=5)
# Anchors are in Kafka, which is another one now.
CHECKS: tuple[Check, ...] = tuple(
    dict.fromkeys(
        (*LEDGER, *MONEY, *RECONCILIATION, *(item for item in TRAIL if item.name != "audit_anchors_hold"))
    )
)


def origin(connection: "psycopg.Connection[Any]") -> Manifest | None:
    """The backup that the database was made from, None when it was made from none. Raises psycopg.Error."""
    if connection.execute("SELECT to_regclass('restore.origin')").fetchone() == (None,):
        return None
    row = connection.execute("SELECT manifest FROM restore.origin").fetchone()
    return None if row is None else parse(json.dumps(row[0]))


def compare(manifest: Manifest, found: Mapping[str, Any]) -> list[str]:
    """What the books say now and did not say then, in words; schemas may have been migrated since."""
    wrong = []
    for part in ("ledger", "payments", "refunds", "audit"):
        if manifest.facts.get(part) != found.get(part):
            wrong.append(f"{part}: the backup has {manifest.facts.get(part)}, the database {found.get(part)}")
    for schema, revision in manifest.revisions.items():
        if str(found["revisions"].get(schema, "")) < revision:
            wrong.append(
                f"schema {schema}: revision {revision} in the backup, {found['revisions'].get(schema)}"
            )
    return wrong


def books(connection: "psycopg.Connection[Any]", manifest: Manifest) -> list[Outcome]:
    """The checks of the verification, strict about all that was settled when the backup was taken."""
    grace = datetime.now(UTC) - manifest.taken_at + ON_ITS_WAY
    with snapshot(connection, grace=grace) as now:
        return [now.run(check) for check in CHECKS]
