"""The rate limit: exact, by client address, the same on all replicas."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from hack.dev.identity import Identity
from tests.integration.gateway.conftest import Gateways, bearer, login


async def test_the_limit_is_exact_however_parallel(gateways: Gateways) -> None:
    first = await gateways.start(RATE_LIMIT_REQUESTS=50)
    second = await gateways.start(prefix=first.prefix, RATE_LIMIT_REQUESTS=50)
    async with first.http() as one, second.http() as two:
        answers = await asyncio.gather(*((one if n % 2 else two).get("/nothing") for n in range(120)))
    assert Counter(answer.status_code for answer in answers) == {404: 50, 429: 70}
    for answer in answers:
        assert answer.headers["ratelimit-limit"] == "50"
        assert 0 < int(answer.headers["ratelimit-reset"]) <= 1800
    remaining = sorted(int(a.headers["ratelimit-remaining"]) for a in answers if a.status_code == 404)
    assert remaining == list(range(50))
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["retry-after"]) > 0
    problem = refused.json()
    assert (problem["code"], problem["retryable"]) == ("rate_limited", True)


async def test_open_paths_are_not_counted(gateways: Gateways) -> None:
    gateway = await gateways.start(RATE_LIMIT_REQUESTS=1)
    async with gateway.http() as http:
        assert (await http.get("/nothing")).status_code == 404
        assert (await http.get("/nothing")).status_code == 429
        for path in ("/live", "/ready", "/health", "/.well-known/jwks.json"):
            answer = await http.get(path)
            assert answer.status_code == 200, path
            assert "ratelimit-limit" not in answer.headers


async def test_after_the_window_requests_pass_again(gateways: Gateways) -> None:
    gateway = await gateways.start(RATE_LIMIT_REQUESTS=4, RATE_LIMIT_WINDOW_SECONDS=2)
    async with gateway.http() as http:

        async def statuses(count: int) -> list[int]:
            return [(await http.get("/nothing")).status_code for _ in range(count)]

        assert await statuses(5) == [404] * 4 + [429]
        refused = await http.get("/nothing")
        await asyncio.sleep(int(refused.headers["retry-after"]))
        assert (await http.get("/nothing")).status_code == 404
        await asyncio.sleep(4.1)
        assert await statuses(5) == [404] * 4 + [429]


async def test_no_window_holds_more_than_the_limit_and_its_share_of_the_last(gateways: Gateways) -> None:
    gateway = await gateways.start(RATE_LIMIT_REQUESTS=10, RATE_LIMIT_WINDOW_SECONDS=2)
    passed: list[float] = []
    loop = asyncio.get_running_loop()
    async with gateway.http() as http:
        end = loop.time() + 7
        while loop.time() < end:
            began = loop.time()
            if (await http.get("/nothing")).status_code == 404:
                passed.append(began)
            await asyncio.sleep(0.05)
    # A fixed window would let 20 pass around a boundary; the weighted one allows for a little unevenness.
    busiest = max(sum(1 for moment in passed if start <= moment < start + 1.9) for start in passed)
    assert busiest <= 13, (busiest, passed)
    assert len(passed) >= 25, passed


@pytest.fixture
async def limited(gateways: Gateways) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that lets each address ask three times."""
    gateway = await gateways.start(RATE_LIMIT_REQUESTS=3)
    async with gateway.http() as client:
        yield client


async def test_forwarded_addresses_count_for_the_load_balancer_alone(
    limited: httpx.AsyncClient, identity: Identity
) -> None:
    proof = {"X-Load-Balancer-Token": identity.load_balancer_token}

    async def ask(address: str, **headers: str) -> int:
        forwarded = {"X-Forwarded-For": address} | headers
        return (await limited.get("/nothing", headers=forwarded)).status_code

    # Proven: every address has its own window, and only the last entry counts.
    for address in ("203.0.113.1", "1.2.3.4, 203.0.113.2", "2001:db8:1:2::7"):
        assert [await ask(address, **proof) for _ in range(4)] == [404, 404, 404, 429], address
    assert await ask("9.9.9.9, 203.0.113.2", **proof) == 429
    assert await ask("2001:db8:1:2:ffff::8", **proof) == 429  # the same /64
    assert await ask("2001:db8:1:3::7", **proof) == 404
    # Not proven: all of them are this machine.
    answers = [
        await ask(f"198.51.100.{n}", **({"X-Load-Balancer-Token": "wrong"} if n % 2 else {}))
        for n in range(5)
    ]
    assert answers == [404, 404, 404, 429, 429]


async def test_hsts_is_told_to_those_who_came_by_https(gateways: Gateways, identity: Identity) -> None:
    gateway = await gateways.start()
    proof = {"X-Load-Balancer-Token": identity.load_balancer_token}
    async with gateway.http() as http:
        for headers, told in (
            (proof | {"X-Forwarded-Proto": "https"}, True),
            ({"X-Forwarded-Proto": "https"}, False),
            (proof | {"X-Forwarded-Proto": "http"}, False),
        ):
            answer = await http.get("/live", headers=headers)
            assert ("strict-transport-security" in answer.headers) is told


async def test_scripts_of_allowed_origins_may_read(gateways: Gateways) -> None:
    origins = "https://shop.example.com, http://localhost:3000"
    gateway = await gateways.start(CORS_ALLOWED_ORIGINS=origins)
    async with gateway.http() as http:
        token = (await login(http))["access_token"]
        for origin, allowed in (
            ("https://shop.example.com", True),
            ("http://localhost:3000", True),
            ("https://shop.example.com.evil.test", False),
            ("http://shop.example.com", False),
            ("null", False),
        ):
            answer = await http.get("/v1/payments", headers=bearer(token) | {"Origin": origin})
            assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
            assert "Origin" in answer.headers["vary"]
            preflight = await http.options(
                "/v1/payments", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
            )
            assert preflight.status_code == 204
            methods = preflight.headers.get("access-control-allow-methods")
            assert methods == ("DELETE, GET, PATCH, POST" if allowed else None)
            if allowed:
                assert "Idempotency-Key" in preflight.headers["access-control-allow-headers"]


async def test_a_person_is_counted_from_whatever_address(gateways: Gateways, identity: Identity) -> None:
    gateway = await gateways.start(RATE_LIMIT_REQUESTS=12)
    async with gateway.http() as http:

        async def ask(token: str, address: int) -> int:
            headers = bearer(token) | {
                "X-Load-Balancer-Token": identity.load_balancer_token,
                "X-Forwarded-For": f"203.0.113.{address}",
            }
            return (await http.get("/v1/payments", headers=headers)).status_code

        tokens = [(await login(http, name))["access_token"] for name in ("demo", "demo", "demo2")]
        statuses = await asyncio.gather(*(ask(tokens[n % 2], n) for n in range(30)))
        assert Counter(statuses) == {200: 12, 429: 18}
        assert await ask(tokens[2], 99) == 200, "somebody else has a window of their own"


async def test_logins_and_one_time_passwords_have_limits_of_their_own(gateways: Gateways) -> None:
    gateway = await gateways.start(RATE_LIMIT_LOGINS=6, RATE_LIMIT_PASSWORDS=4, RATE_LIMIT_REQUESTS=1000)
    async with gateway.http() as http:
        token = (await login(http))["access_token"]
        headers = bearer(token)

        async def send(number: int) -> int:
            key = {"Idempotency-Key": f"k{number}"}
            return (await http.post(f"/v1/payments/p{number}/otp", headers=headers | key)).status_code

        async def guess(number: int) -> int:
            body = {"username": f"nobody-{number}", "password": "wrong"}
            return (await http.post("/auth/login", json=body)).status_code

        assert Counter(await asyncio.gather(*map(send, range(20)))) == {200: 4, 429: 16}
        assert Counter(await asyncio.gather(*map(guess, range(20)))) == {401: 5, 429: 15}
        answer = await http.get("/v1/payments", headers=headers)
        assert (answer.status_code, answer.headers["ratelimit-limit"]) == (200, "1000")


async def test_a_revoked_token_uses_up_nobodys_window(gateways: Gateways, identity: Identity) -> None:
    gateway = await gateways.start(RATE_LIMIT_REQUESTS=10)
    proof = {"X-Load-Balancer-Token": identity.load_balancer_token}
    async with gateway.http() as http:
        stolen, good = [(await login(http, "demo3"))["access_token"] for _ in range(2)]
        await http.post("/auth/logout", headers=bearer(stolen))
        for number in range(20):
            headers = bearer(stolen) | proof | {"X-Forwarded-For": f"198.51.100.{number}"}
            assert (await http.get("/v1/payments", headers=headers)).status_code == 401
        headers = bearer(good) | proof | {"X-Forwarded-For": "198.51.100.99"}
        assert (await http.get("/v1/payments", headers=headers)).status_code == 200
