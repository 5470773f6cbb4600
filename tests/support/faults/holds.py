"""Statements of a service held inside their transaction, from within the test's own database.

A trigger on the tables waits on an advisory lock that the test has taken. Nothing of it is in the product.
"""

import asyncio
import time

import asyncpg

_INSTALL = """
CREATE SCHEMA IF NOT EXISTS faults;
CREATE TABLE IF NOT EXISTS faults.points (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subject text NOT NULL, point text NOT NULL);
CREATE INDEX IF NOT EXISTS points_subject ON faults.points (subject);
CREATE OR REPLACE FUNCTION faults.hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    was jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) END;
    now_ jsonb := to_jsonb(NEW);
    whom text[];
    places text[];
    found record;
BEGIN
    whom := ARRAY[now_->>'id', now_->>'payment_id', now_->>'key', now_->>'refund_id',
                      now_->>'customer_id'];
    places := ARRAY[TG_TABLE_NAME || ':' || lower(TG_OP)];
    IF was IS NOT NULL AND was->>'status' IS DISTINCT FROM now_->>'status' THEN
        places := places || (TG_TABLE_NAME || ':' || (now_->>'status'));
    END IF;
    IF was IS NOT NULL AND was->>'stage' IS DISTINCT FROM now_->>'stage' THEN
        places := places || (TG_TABLE_NAME || ':stage-' || (now_->>'stage'));
    END IF;
    IF was IS NOT NULL AND was->>'published_at' IS NULL AND now_->>'published_at' IS NOT NULL THEN
        places := places || (TG_TABLE_NAME || ':published');
    END IF;
    FOR found IN SELECT id FROM faults.points WHERE subject = ANY (whom) AND point = ANY (places) LOOP
        PERFORM pg_advisory_xact_lock(4711, found.id);
    END LOOP;
    RETURN NEW;
END $$;
"""
TABLES = (
    "payments.payments",
    "payments.refunds",
    "accounts.transfers",
    "accounts.holds",
)
_WAITING = """
SELECT pid, objid::int AS point FROM pg_locks
WHERE locktype = 'advisory' AND classid = 4711 AND NOT granted AND objid = ANY ($1::int[]::oid[])"""


class Holds:
    """Points at which statements wait. Use as an async context; at its end nothing waits any more."""

    def __init__(self, dsn: str, *, tables: tuple[str, ...] = TABLES) -> None:
        self._dsn = dsn
        self._tables = tables
        self._points: list[int] = []
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def __aenter__(self) -> "Holds":
        self._connection = await asyncpg.connect(self._dsn)
        await self._connection.execute(_INSTALL)
        for table in self._tables:
            await self._connection.execute(
                f"CREATE OR REPLACE TRIGGER hold_for_tests BEFORE INSERT OR UPDATE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION faults.hold()"
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._connection is not None
        await self._connection.execute("TRUNCATE faults.points")
        for table in self._tables:
            await self._connection.execute(f"DROP TRIGGER IF EXISTS hold_for_tests ON {table}")
        await self._connection.close()

    async def at(self, subject: str, point: str) -> int:
        """Hold the next statement at `point`, e.g. `payments:succeeded`, of a payment, refund or customer."""
        assert self._connection is not None
        number: int = await self._connection.fetchval(
            "INSERT INTO faults.points (subject, point) VALUES ($1, $2) RETURNING id", subject, point
        )
        await self._connection.execute("SELECT pg_advisory_lock(4711, $1)", number)
        self._points.append(number)
        return number

    async def reached(self, count: int, seconds: float) -> dict[int, int]:
        """Wait until `count` points hold a statement; the backends' process ids by point."""
        end = time.monotonic() + seconds
        while True:
            found = {row["point"]: row["pid"] for row in await self._waiting()}
            if len(found) >= count or time.monotonic() > end:
                return found
            await asyncio.sleep(0.02)

    async def waiting(self, count: int, seconds: float) -> list[int]:
        """Wait until `count` statements are held, at whichever points; the backends' process ids."""
        end = time.monotonic() + seconds
        while True:
            found = [row["pid"] for row in await self._waiting()]
            if len(found) >= count or time.monotonic() > end:
                return found
            await asyncio.sleep(0.02)

    async def _waiting(self) -> list[asyncpg.Record]:
        assert self._connection is not None
        return await self._connection.fetch(_WAITING, self._points)

    async def finish(self, pids: list[int], *, commit: bool) -> None:
        """Let what is held commit, or roll it back; hold nothing from now on."""
        assert self._connection is not None
        await self._connection.execute("DELETE FROM faults.points WHERE id = ANY ($1)", self._points)
        if not commit:
            for pid in pids:
                await self._connection.execute("SELECT pg_terminate_backend($1, 2000)", pid)
        await self._connection.execute("SELECT pg_advisory_unlock_all()")
        self._points.clear()
