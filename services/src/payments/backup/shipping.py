"""Bringing the log from the server into the store, file by file; the server keeps each until it is told."""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from payments.backup.archive import Archive
from payments.backup.wal import known

log = logging.getLogger(__name__)

# A commit of its own, so that the log tells the time when nobody pays: a recovery ends at the first commit
# after its target, and has to find one.
_TICK = "SELECT pg_logical_emit_message(true, 'payment-platform', 'archive'), clock_timestamp()"
_SEGMENT = "SELECT pg_walfile_name(pg_current_wal_insert_lsn() - 1::numeric)"
_READY = "SELECT left(name, -6) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready' ORDER BY name"
_SYSTEM = "SELECT system_identifier::text FROM pg_control_system()"
#: Where files/postgres/archive.sh looks for what is safe.
SAID = "/tmp/archived"


class Late(Exception):
    """The server has not taken notice within the patience."""


class Mark(NamedTuple):
    """A commit of ours: everything that was committed before `at` is in the log up to `segment`."""

    segment: str
    at: datetime


def system_of(connection: "psycopg.Connection[Any]") -> str:
    """The identifier of the server's cluster."""
    return str(_one(connection, _SYSTEM)[0])


def mark(connection: "psycopg.Connection[Any]") -> Mark:
    """Commit a mark, and close its segment so that it can be archived. The connection is in autocommit."""
    at: datetime = _one(connection, _TICK)[1]
    segment = str(_one(connection, _SEGMENT)[0])
    connection.execute("SELECT pg_switch_wal()")
    return Mark(segment, at)


def ship(
    connection: "psycopg.Connection[Any]",
    archive: Archive,
    until: str,
    *,
    patience: float,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Archive all that waits, and wait until the server took notice of the segment `until`; how many files.

    Raises Late after `patience` seconds without progress, archive.Differs, StoreError, psycopg.Error.
    """
    shipped: set[str] = set()
    before: set[str] = set()
    deadline = time.monotonic() + patience
    while True:
        ready = {str(row[0]) for row in connection.execute(_READY).fetchall()}
        if until in shipped and until not in ready:
            return len(shipped)
        for name in sorted(ready - shipped):
            archive.put(name, _read(connection, name))
            _tell(connection, name)
            shipped.add(name)
            log.info("%s is archived", name)
        if ready != before:
            before, deadline = ready, time.monotonic() + patience
        if time.monotonic() > deadline:
            waits = f"{len(ready)} files wait, the first is {min(ready, default='none')}"
            raise Late(f"the server has not taken notice of {until} within {patience:.0f} s: {waits}")
        sleep(0.2)


def _read(connection: "psycopg.Connection[Any]", name: str) -> bytes:
    if not known(name):
        raise ValueError(f"the server wants {name!r} archived, which is no name of its log")
    content = connection.execute(
        "SELECT pg_read_binary_file('pg_wal/' || %s)", [name], binary=True
    ).fetchone()
    assert content is not None  # it raises when there is no such file
    return bytes(content[0])


def _tell(connection: "psycopg.Connection[Any]", name: str) -> None:
    # COPY takes no parameters; the name was looked at above.
    connection.execute(sql.SQL("COPY (SELECT 1) TO {}").format(sql.Literal(f"{SAID}/{name}")))


def _one(connection: "psycopg.Connection[Any]", query: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query.encode()).fetchone()
    assert row is not None  # such statements always return one row
    return row
