"""PostgreSQL through asyncpg: a small lazy pool, one round trip for each call, deadlines on all of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from payments.common import context, metrics, tracing
from payments.common.errors import unavailable
from payments.common.settings import DatabaseSettings
from payments.common.statements import Statements

# What means "the database is not there now", as opposed to "the statement is wrong".
_DOWN = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke in the middle of an exchange
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidPasswordError,
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)

CONNECTIONS = metrics.gauge(
    "db_client_connection_count", "Connections of the pool to the database, by state.", ["state"]
)
CONNECTIONS_MAX = metrics.gauge(
    "db_client_connection_max", "Connections to the database that the pool may open."
)

T = TypeVar("T")


if TYPE_CHECKING:
    _Plain = asyncpg.Connection[asyncpg.Record]
else:  # generic for the type checker only
    _Plain = asyncpg.Connection


class _Connection(_Plain):
    def get_reset_query(self) -> str:
        # No session state is ever left behind, so the round trip on release is not needed.
        return ""


def _used(pool: "asyncpg.Pool[asyncpg.Record]") -> int:
    return pool.get_size() - pool.get_idle_size()


class Database:
    """A pool of connections as one role, whose schema is named as the role."""

    def __init__(self, settings: DatabaseSettings, *, application: str, timeout: float = 5.0) -> None:
        self._settings = settings
        self._application = application
        self._timeout = timeout
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._revision = ""
        self._shapes = Statements(settings)

    async def __aenter__(self) -> Self:
        # min_size=0: the process starts, unready, while the database is still away.
        self._pool = await asyncpg.create_pool(
            host=self._settings.database_host,
            port=self._settings.database_port,
            database=self._settings.database_name,
            user=self._settings.database_user,
            password=self._settings.database_password.get_secret_value(),
            min_size=0,
            max_size=self._settings.database_pool_max,
            max_inactive_connection_lifetime=300,
            timeout=self._timeout,
            command_timeout=self._timeout,
            connection_class=_Connection,
            server_settings={"application_name": self._application, "timezone": "UTC"},
        )
        CONNECTIONS.labels("idle").set_function(self._pool.get_idle_size)
        CONNECTIONS.labels("used").set_function(partial(_used, self._pool))
        CONNECTIONS_MAX.set(self._settings.database_pool_max)
        return self

    async def __aexit__(self, *_: object) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), 5)
            except TimeoutError:
                pool.terminate()

    @property
    def _open_pool(self) -> "asyncpg.Pool[asyncpg.Record]":
        if self._pool is None:
            raise unavailable("The database")
        return self._pool

    async def fetch(self, sql: str, *args: Any, timeout: float | None = None) -> list[asyncpg.Record]:
        """All rows. Raises Problem(service_unavailable) when the database does not answer."""
        limit = context.remaining(timeout or self._timeout)
        return await self._call(sql, self._open_pool.fetch(sql, *args, timeout=limit))

    async def fetchrow(self, sql: str, *args: Any, timeout: float | None = None) -> asyncpg.Record | None:
        """The first row or None. Raises Problem(service_unavailable)."""
        limit = context.remaining(timeout or self._timeout)
        return await self._call(sql, self._open_pool.fetchrow(sql, *args, timeout=limit))

    async def fetchval(self, sql: str, *args: Any, timeout: float | None = None) -> Any:
        """The first column of the first row or None. Raises Problem(service_unavailable)."""
        limit = context.remaining(timeout or self._timeout)
        return await self._call(sql, self._open_pool.fetchval(sql, *args, timeout=limit))

    async def execute(self, sql: str, *args: Any, timeout: float | None = None) -> str:
        """The command tag, e.g. `UPDATE 1`. Raises Problem(service_unavailable)."""
        limit = context.remaining(timeout or self._timeout)
        return await self._call(sql, self._open_pool.execute(sql, *args, timeout=limit))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PoolConnectionProxy[asyncpg.Record]"]:
        """A connection inside a transaction; for background work. The payment path uses single statements."""
        try:
            with self._span("transaction"):
                async with self._open_pool.acquire(timeout=self._timeout) as connection:
                    async with connection.transaction():
                        yield connection
        except _DOWN as error:
            raise unavailable("The database") from error

    async def ready(self, schema: str, revision: str) -> bool:
        """True when the database answers and `schema` has at least `revision` (migrations only expand)."""
        try:
            if self._revision >= revision:
                await self.fetchval("SELECT 1", timeout=2)
                return True
            found = await self.fetchval(f"SELECT version_num FROM {schema}.alembic_version", timeout=2)  # noqa: S608
        except asyncpg.PostgresError:
            return False
        self._revision = found or ""
        return self._revision >= revision

    def _span(self, sql: str) -> AbstractContextManager[tracing.Span | None]:
        return (
            tracing.NOTHING
            if tracing.recorder is None
            else tracing.begin(self._shapes(sql)) or tracing.NOTHING
        )

    async def _call(self, sql: str, call: Awaitable[T]) -> T:
        if tracing.recorder is None:
            return await _guard(call)
        with self._span(sql):
            return await _guard(call)


async def _guard(call: Awaitable[T]) -> T:
    try:
        return await call
    except _DOWN as error:
        raise unavailable("The database") from error
