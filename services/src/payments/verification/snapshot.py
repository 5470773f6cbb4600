"""Running checks over one snapshot of the database."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import IsolationLevel

from payments.common import sync_database
from payments.common.outbox import RETENTION
from payments.common.settings import DatabaseSettings
from payments.verification.check import Check
from payments.verification.report import Mismatch, Outcome

log = logging.getLogger(__name__)

#: Schema with an outbox -> `source` of its events.
SOURCES = {
    "accounts": "account-service",
    "gateway": "api-gateway",
    "kyc": "kyc-service",
    "ofac": "ofac-service",
    "otp": "otp-service",
    "payments": "confirm-service",
}
#: Mismatches that a report names for each check; it counts all.
NAMED = 1000
#: A check over some millions of rows takes seconds to a minute.
STATEMENT_TIMEOUT = timedelta(minutes=10)

_SESSION = (
    "timezone=UTC",
    "jit=off",
    # Hash tables of the joins spill to disk beyond this: PostgreSQL itself has little memory.
    "work_mem=64MB",
    # One process: several would share hash tables in /dev/shm, which is small in a container, and payments
    # need the other cores.
    "max_parallel_workers_per_gather=0",
)
_OUTBOXES = """
SELECT nspname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE relname = 'outbox' AND relkind IN ('r', 'p') ORDER BY nspname"""


class Snapshot:
    """All books at one moment, `at`."""

    def __init__(self, connection: "psycopg.Connection[Any]", values: Mapping[str, Any]) -> None:
        self._connection = connection
        self.at: datetime = values["at"]
        self._values = dict(values)
        self._outboxes = _all_rows([row[0] for row in connection.execute(_OUTBOXES)])

    def run(self, check: Check) -> Outcome:
        """Ask one question. Raises psycopg.Error."""
        began = time.monotonic()
        counted = _one(self._connection, check.count(self._outboxes), self._values)
        named = f"""
            SELECT kind, id, detail, count(*) OVER () AS total
            FROM ({check.wrong(self._outboxes)}) AS wrong ORDER BY kind, id LIMIT {NAMED}"""  # noqa: S608
        found = self._connection.execute(named.encode(), self._values).fetchall()
        outcome = Outcome(
            check=check.name,
            about=check.about,
            counted=counted,
            wrong=found[0][3] if found else 0,
            mismatches=tuple(Mismatch(kind, about, detail) for kind, about, detail, _ in found),
            seconds=round(time.monotonic() - began, 3),
        )
        log.info("%s: %d of %d wrong (%.1f s)", check.name, outcome.wrong, counted, outcome.seconds)
        return outcome


def connect(settings: DatabaseSettings) -> "psycopg.Connection[Any]":
    """A connection as the role of the settings. Raises psycopg.OperationalError."""
    timeout = int(STATEMENT_TIMEOUT.total_seconds() * 1000)
    options = (*_SESSION, f"statement_timeout={timeout}")
    return sync_database.connect(settings, *options, timeout=10, autocommit=True, name="verification")


@contextmanager
def snapshot(
    connection: "psycopg.Connection[Any]", *, grace: timedelta, since: datetime | None = None, **values: Any
) -> Iterator[Snapshot]:
    """One read-only transaction that sees all schemas at the same moment.

    Args:
        grace: what is younger may be on its way from one book to the next.
        since: leave out what has not changed since then.
        values: further parameters of checks.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    with connection.transaction():
        at = _one(connection, "SELECT now()", {})
        times = {"at": at, "cutoff": at - grace, "since": since, "sure": at - RETENTION + timedelta(days=1)}
        yield Snapshot(connection, times | values)
    connection.isolation_level = None
    connection.read_only = None


def _all_rows(schemas: list[str]) -> str:
    unknown = set(schemas) - set(SOURCES)
    if unknown:
        names = ", ".join(sorted(unknown))
        raise ValueError(f"add the outbox of {names} to SOURCES of payments.verification.snapshot")
    columns = "event_id, topic, type, payload, sequence, created_at, published_at"
    return " UNION ALL ".join(
        f"SELECT '{SOURCES[schema]}' AS source, {columns} FROM {schema}.outbox"  # noqa: S608
        for schema in schemas
    )


def _one(connection: "psycopg.Connection[Any]", statement: str, values: Mapping[str, Any]) -> Any:
    row = connection.execute(statement.encode(), values).fetchone()
    assert row is not None  # such a statement always returns one row
    return row[0]
