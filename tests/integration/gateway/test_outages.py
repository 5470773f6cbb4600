"""Redis or PostgreSQL away, slow, emptied or restarted: revoked tokens stay refused, good ones go on."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
import redis.asyncio

from hack.dev.identity import REDIS_PASSWORD
from hack.dev.stack import Stack
from tests.integration.gateway.conftest import Gateway, Gateways, bearer, login
from tests.support.echo_peer import EchoPeer
from tests.support.proxy import Proxy, proxy

CONFIRM = b'{"transaction_id": "txn_001", "customer_id": "cust_001", "amount": 10}'


@dataclass
class Platform:
    """A gateway whose dependencies can be cut off, and sessions of demo: one good, one revoked."""

    gateway: Gateway
    http: httpx.AsyncClient
    redis: Proxy
    postgres: Proxy
    good: str
    revoked: str

    async def status(self, token: str) -> int:
        """Of a payment's confirmation with this token."""
        headers = bearer(token) | {"Content-Type": "application/json", "Idempotency-Key": "k"}
        return (await self.http.post("/payment/confirm", content=CONFIRM, headers=headers)).status_code

    async def revoke(self, token: str) -> int:
        """Status of a logout."""
        return (await self.http.post("/auth/logout", headers=bearer(token))).status_code


@asynccontextmanager
async def _platform(stack: Stack, gateways: Gateways) -> AsyncIterator[Platform]:
    async with proxy(stack.servers.redis) as cache, proxy(stack.servers.postgres) as database:
        gateway = await gateways.start(REDIS_PORT=cache.port, DATABASE_PORT=database.port)
        async with gateway.http() as http:
            good, revoked = (await login(http))["access_token"], (await login(http))["access_token"]
            platform = Platform(gateway, http, cache, database, good, revoked)
            assert await platform.revoke(revoked) == 200
            yield platform


@pytest.fixture
async def platform(stack: Stack, gateways: Gateways) -> AsyncIterator[Platform]:
    """A platform of the test's own."""
    async with _platform(stack, gateways) as platform:
        yield platform


@pytest.fixture
async def admin(stack: Stack) -> AsyncIterator["redis.asyncio.Redis"]:
    """The test's own connection to Redis."""
    host, port = stack.servers.redis
    client = redis.asyncio.Redis(host=host, port=port, password=REDIS_PASSWORD)
    yield client
    await client.aclose()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end, "it has not come to pass"
        await asyncio.sleep(0.05)


async def trusts_redis(platform: Platform) -> bool:
    answer = await platform.http.get("/nothing")
    return "ratelimit-limit" in answer.headers


async def test_one_redis_call_and_no_database_for_a_warm_confirmation(
    platform: Platform, peer: EchoPeer
) -> None:
    assert await platform.status(platform.good) == 200
    peer.seen.clear()
    await platform.postgres.cut()
    platform.redis.recording = True
    for _ in range(20):
        assert await platform.status(platform.good) == 200
    platform.redis.recording = False
    assert platform.redis.sent.count(b"EVALSHA") == 20
    # Nothing else for these requests; the loop that copies revocations has no database to copy from.
    assert platform.redis.sent.count(b"\r\n$7\r\nEVALSHA\r\n") == platform.redis.sent.count(b"*") == 20
    assert len(peer.seen) == 20


async def test_redis_away(platform: Platform) -> None:
    await platform.redis.cut()
    assert await platform.status(platform.good) == 200
    assert await platform.status(platform.revoked) == 401
    fresh = (await login(platform.http))["access_token"]
    assert await platform.status(fresh) == 200
    assert await platform.revoke(fresh) == 200
    assert await platform.status(fresh) == 401
    await platform.redis.open()
    await until(lambda: trusts_redis(platform))
    assert await platform.status(fresh) == 401
    assert await platform.status(platform.good) == 200


async def test_redis_hangs(platform: Platform) -> None:
    platform.redis.freeze()
    began = time.monotonic()
    assert await platform.status(platform.good) == 200
    assert await platform.status(platform.revoked) == 401
    assert time.monotonic() - began < 4
    began = time.monotonic()
    for _ in range(10):
        assert await platform.status(platform.good) == 200
    assert time.monotonic() - began < 2, "each request waits for Redis again"
    platform.redis.thaw()
    await until(lambda: trusts_redis(platform))
    assert await platform.status(platform.revoked) == 401


async def test_redis_away_and_postgres_too_fails_closed(platform: Platform) -> None:
    await platform.redis.cut()
    await platform.postgres.cut()
    for token in (platform.good, platform.revoked):
        assert await platform.status(token) == 503
    answer = await platform.http.get("/v1/accounts", headers=bearer(platform.good))
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["retryable"] is True
    assert (await platform.http.get("/live")).status_code == 200
    assert (await platform.http.get("/ready")).status_code == 503
    await platform.redis.open()
    await platform.postgres.open()
    await until(lambda: trusts_redis(platform))
    assert await platform.status(platform.good) == 200
    assert await platform.status(platform.revoked) == 401


async def test_redis_emptied(platform: Platform, admin: "redis.asyncio.Redis") -> None:
    for _ in range(5):
        keys = [key async for key in admin.scan_iter(f"{platform.gateway.prefix}:*")]
        assert keys
        await admin.delete(*keys)
        answers = await asyncio.gather(*(platform.status(platform.revoked) for _ in range(10)))
        assert set(answers) == {401}
        assert await platform.status(platform.good) == 200
        await until(lambda: trusts_redis(platform))
    assert await platform.status(platform.revoked) == 401


async def test_redis_restarted_without_its_last_second(
    platform: Platform, admin: "redis.asyncio.Redis"
) -> None:
    # What a crash leaves: the mark, but neither the script nor the newest revocation.
    keys = [key async for key in admin.scan_iter(f"{platform.gateway.prefix}:revoked:*")]
    assert keys
    await admin.delete(*keys)
    await admin.script_flush()
    assert await platform.status(platform.revoked) == 401
    await until(lambda: trusts_redis(platform))
    assert await platform.status(platform.revoked) == 401


async def test_a_revocation_that_another_replica_could_not_announce(
    platform: Platform, gateways: Gateways, stack: Stack
) -> None:
    async with proxy(stack.servers.redis) as cut_off:
        lonely = await gateways.start(prefix=platform.gateway.prefix, REDIS_PORT=cut_off.port)
        await cut_off.cut()
        async with lonely.http() as http:
            assert (await http.post("/auth/logout", headers=bearer(platform.good))).status_code == 200
        revoked_at = time.monotonic()

        async def refused() -> bool:
            return await platform.status(platform.good) == 401

        await until(refused)
        assert time.monotonic() - revoked_at < 1


async def test_logins_have_a_local_cap_while_redis_is_away(platform: Platform) -> None:
    await platform.redis.cut()
    body = {"username": "demo", "password": "wrong"}
    statuses = [(await platform.http.post("/auth/login", json=body)).status_code for _ in range(12)]
    assert statuses.count(401) in (9, 10, 11), statuses
    assert statuses[-1] == 429
    assert await platform.status(platform.good) == 200


async def test_one_time_passwords_have_a_local_cap_while_redis_is_away(platform: Platform) -> None:
    await platform.redis.cut()

    async def send(number: int) -> int:
        headers = bearer(platform.good) | {"Idempotency-Key": f"k{number}"}
        return (await platform.http.post(f"/v1/payments/p{number}/otp", headers=headers)).status_code

    statuses = [await send(number) for number in range(14)]
    assert statuses.count(200) == 10, statuses
    assert statuses[-1] == 429
    assert await platform.status(platform.good) == 200


async def test_postgres_away(platform: Platform) -> None:
    await platform.postgres.cut()
    assert await platform.status(platform.good) == 200
    assert await platform.status(platform.revoked) == 401
    answer = await platform.http.post("/auth/login", json={"username": "demo", "password": "password123"})
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert await platform.revoke(platform.good) == 503
    assert await platform.status(platform.good) == 200
    await platform.postgres.open()
    assert await platform.revoke(platform.good) == 200
    assert await platform.status(platform.good) == 401
