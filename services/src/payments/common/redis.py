"""Redis: one multiplexed client; it caches and counts, and is never the only record of anything."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Self

from redis.asyncio import Connection, ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from payments.common import tracing
from payments.common.settings import RedisSettings

__all__ = ["Cache", "RedisError"]


class _Connection(Connection):
    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:
            # uvloop's word for a transport that the other side has closed; asyncio has an OSError.
            raise RedisConnectionError("the connection was closed") from error


class _Pipeline(Pipeline):
    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        with _span("PIPELINE", len(self.command_stack)):
            return await super().execute(raise_on_error)


class _Client(Redis):
    async def execute_command(self, *args: Any, **options: Any) -> Any:
        with _span(str(args[0])):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> _Pipeline:
        return _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


_shapes: dict[str, tracing.Shape] = {}


def _span(command: str, batch: int = 1) -> AbstractContextManager[tracing.Span | None]:
    """The command's name alone: its keys and values tell of persons and tokens."""
    if tracing.recorder is None:
        return tracing.NOTHING
    shape = _shapes.get(command)
    if shape is None:
        attributes: tracing.Attributes = {"db.system.name": "redis", "db.operation.name": command}
        shape = _shapes[command] = tracing.Shape(command, tracing.CLIENT, attributes)
    span = tracing.begin(shape)
    if span is None:
        return tracing.NOTHING
    if batch > 1:
        span.note({"db.operation.batch.size": batch})
    return span


class Cache:
    """A connection pool to Redis. Every call raises RedisError within `timeout` seconds when it is down."""

    def __init__(self, settings: RedisSettings, *, timeout: float = 0.5) -> None:
        self.client: Redis = _Client.from_pool(
            ConnectionPool(
                connection_class=_Connection,
                host=settings.redis_host,
                port=settings.redis_port,
                password=settings.redis_password.get_secret_value(),
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                health_check_interval=30,
                retry=Retry(NoBackoff(), 1),
            )
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    def script(self, source: str) -> Any:
        """A Lua script; called as `await script(keys=[...], args=[...])`, one round trip when cached."""
        return self.client.register_script(source)

    async def ping(self) -> None:
        """Raises RedisError when Redis does not answer."""
        await self.client.ping()
