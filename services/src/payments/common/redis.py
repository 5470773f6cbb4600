"""Redis: one multiplexed client; it caches and counts, and is never the only record of anything."""

from collections.abc import Iterable
from typing import Any, Self

from redis.asyncio import Connection, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

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


class Cache:
    """A connection pool to Redis. Every call raises RedisError within `timeout` seconds when it is down."""

    def __init__(self, settings: RedisSettings, *, timeout: float = 0.5) -> None:
        self.client: Redis = Redis.from_pool(
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
