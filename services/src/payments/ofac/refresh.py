"""Keeps the list in step with its source: asks it on a schedule, and keeps the old list on any failure."""

import asyncio
import logging
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from payments.common import metrics
from payments.common.db import Database
from payments.common.settings import DatabaseSettings
from payments.common.sync_database import connect
from payments.ofac.loading import ListRefused, Loaded, load
from payments.ofac.sdn import ListError, read
from payments.ofac.sources import SourceError, from_folder, from_url

log = logging.getLogger(__name__)

REFRESHES = metrics.counter(
    "payments_sanctions_refreshes_total",
    "Times that the source of the list was asked, by outcome.",
    ["outcome"],
)
metrics.from_zero(REFRESHES, ("loaded", "unchanged", "failed"))
# A failure is tried again sooner than the schedule says.
RETRY_SECONDS = 300.0
LOOK_SECONDS = 30.0

_WAIT = """
SELECT greatest(0, extract(epoch FROM started_at - now())
    + CASE WHEN outcome IN ('loaded', 'unchanged') THEN $2::float8 ELSE $3::float8 END)::float8
FROM ofac.refreshes WHERE source = $1 ORDER BY id DESC LIMIT 1"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('ofac.refreshes'))"
_BEGIN = "INSERT INTO ofac.refreshes (source) VALUES ($1) RETURNING id"
_END = """
UPDATE ofac.refreshes SET finished_at = now(), outcome = $2, detail = $3, list_id = $4 WHERE id = $1"""


class Refresher:
    """Asks the source once an interval, whichever instance comes first.

    Args:
        source: a folder, or the URL below which the files are.
        interval: seconds between two times that went well.
        timeout: seconds for each file of a URL.
    """

    def __init__(
        self, database: Database, settings: DatabaseSettings, source: str, *, interval: float, timeout: float
    ) -> None:
        self._database = database
        self._settings = settings
        self._source = source
        self._interval = interval
        self._timeout = timeout

    async def step(self) -> float:
        """Step of a background loop."""
        async with self._database.transaction() as opened:
            await opened.execute(_LOCK)
            wait = await opened.fetchval(
                _WAIT, self._source, self._interval, min(self._interval, RETRY_SECONDS)
            )
            if wait:
                return min(float(wait), LOOK_SECONDS)
            number = await opened.fetchval(_BEGIN, self._source)
        began = time.monotonic()
        outcome, detail, list_id = await self._ask()
        REFRESHES.labels(outcome).inc()
        await self._database.execute(_END, number, outcome, detail, list_id)
        say = log.warning if outcome == "failed" else log.info
        say("the list's source was asked: %s, %s (%.1f s)", outcome, detail, time.monotonic() - began)
        return min(LOOK_SECONDS, self._interval)

    async def _ask(self) -> tuple[str, str, int | None]:
        try:
            if "://" in self._source:
                files = await from_url(self._source, timeout=self._timeout)
            else:
                files = await asyncio.to_thread(from_folder, Path(self._source))
            loaded, entries = await asyncio.to_thread(self._load, files)
        except (SourceError, ListError, ListRefused) as error:
            return "failed", str(error), None
        except psycopg.Error as error:
            return "failed", f"the database did not take the list: {type(error).__name__}", None
        return "loaded" if loaded.new else "unchanged", f"{entries} entries", loaded.list_id

    def _load(self, files: dict[str, bytes]) -> tuple[Loaded, int]:
        found = read(files)
        with connect(self._settings, "statement_timeout=2min") as opened:
            return load(opened, found, source=self._source, by="refresh"), len(found.entries)


class Freshness:
    """How old the list is: since it was loaded, or since its source last said that it is still this one.

    Args:
        limit: from this age on the list is stale.
    """

    _AGE = """
    SELECT l.id, l.hash, l.source, l.entries, l.bytes, l.loaded_at, l.loaded_by,
        greatest(l.loaded_at, (SELECT max(finished_at) FROM ofac.refreshes
                               WHERE list_id = l.id AND outcome IN ('loaded', 'unchanged'))) AS confirmed_at,
        now() AS now
    FROM ofac.list_versions l WHERE l.active"""

    def __init__(self, database: Database, limit: timedelta) -> None:
        self._database = database
        self._limit = limit
        self._age = metrics.gauge(
            "payments_sanctions_list_age_seconds", "Since the list was last known to be current."
        )
        self._stale = metrics.gauge("payments_sanctions_list_stale", "1 when the list is missing or too old.")
        self._entries = metrics.gauge("payments_sanctions_list_entries", "Entries of the list in force.")

    async def look(self) -> dict[str, Any] | None:
        """The list in force and its age, None without one."""
        row = await self._database.fetchrow(self._AGE)
        if row is None:
            self._stale.set(1)
            self._entries.set(0)
            return None
        found = dict(row)
        age = found.pop("now") - found["confirmed_at"]
        stale = age > self._limit
        self._age.set(age.total_seconds())
        self._stale.set(stale)
        self._entries.set(found["entries"])
        return {**found, "age_seconds": int(age.total_seconds()), "stale": stale}

    async def step(self) -> float:
        """Step of a background loop: keep the metrics."""
        found = await self.look()
        if found is not None and found["stale"]:
            log.warning("the sanctions list is stale: last known to be current %s", found["confirmed_at"])
        return LOOK_SECONDS

    async def check(self) -> None:
        """Raises LookupError when there is no list or a stale one."""
        found = await self.look()
        if found is None or found["stale"]:
            raise LookupError("the sanctions list is missing or stale")
