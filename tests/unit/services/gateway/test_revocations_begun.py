"""A gateway is ready once Redis counts its requests, or is known to be away: never in between."""

from pydantic import SecretStr

from payments.common.redis import Cache
from payments.common.settings import RedisSettings
from payments.gateway.revocations import Revocations
from payments.gateway.store import Store


class Known(Store):
    """Knows how long a revocation counts; needs no database for that."""

    revocation_seconds = 900

    def __init__(self) -> None:
        """Nothing."""


async def test_it_has_not_begun_before_redis_was_asked() -> None:
    nobody = RedisSettings(redis_host="127.0.0.1", redis_port=1, redis_password=SecretStr("none"))
    async with Cache(nobody) as cache:
        revocations = Revocations(Known(), cache, prefix="test")
        assert not revocations.begun
        await revocations.announce("session")
        assert revocations.begun, "Redis is known to be away"
