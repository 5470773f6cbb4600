"""Login, refresh, logout; what the audit trail is told of them."""

import asyncio
import secrets
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import asyncpg
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from hack.dev.identity import Identity
from tests.integration.gateway.conftest import Gateway, Gateways, bearer, login
from tests.support.echo_peer import EchoPeer

Database: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


@pytest.fixture(scope="module")
async def replicas(gateways: Gateways) -> tuple[Gateway, Gateway]:
    """Two gateways of one platform."""
    first = await gateways.start()
    return first, await gateways.start(prefix=first.prefix)


@pytest.fixture
async def two(
    replicas: tuple[Gateway, Gateway],
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """A client for each replica."""
    async with replicas[0].http() as first, replicas[1].http() as second:
        yield first, second


async def events(database: Database, kind: str) -> list[dict[str, Any]]:
    rows = await database.fetch(
        "SELECT topic, key, payload::text FROM gateway.outbox WHERE type = $1 ORDER BY id", kind
    )
    return [dict(row) for row in rows]


async def test_login_answers_as_the_original_did(http: httpx.AsyncClient) -> None:
    answer = await http.post("/auth/login", json={"username": "demo", "password": "password123"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["success"], body["token_type"], body["expires_in"]) == (True, "Bearer", 3600)
    assert answer.headers["cache-control"] == "no-store"


async def test_the_access_token_can_be_checked_with_the_published_keys(http: httpx.AsyncClient) -> None:
    body = await login(http, "demo2")
    keys = (await http.get("/.well-known/jwks.json")).json()
    assert all("d" not in key for key in keys["keys"])
    assert {key["use"] for key in keys["keys"]} == {"sig", "enc"}
    token = jwt.decode(body["access_token"], KeySet.import_key_set(keys), algorithms=["ES256"])
    assert token.header["typ"] == "at+jwt"
    claims = token.claims
    assert (claims["iss"], claims["aud"]) == ("payment-platform-gateway", "payment-platform")
    assert (claims["sub"], claims["username"], claims["role"]) == ("cust_002", "demo2", "customer")
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["jti"] and claims["user_id"]


async def test_unknown_wrong_and_disabled_look_the_same(http: httpx.AsyncClient, database: Database) -> None:
    await database.execute("UPDATE gateway.users SET disabled = true WHERE username = 'demo4'")
    answers = []
    for name, password in (("nobody", "password123"), ("demo", "wrong"), ("demo4", "password123")):
        answer = await http.post("/auth/login", json={"username": name, "password": password})
        assert answer.status_code == 401
        body = answer.json()
        answers.append({key: value for key, value in body.items() if key != "request_id"})
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["error"] == "INVALID_CREDENTIALS"
    await database.execute("UPDATE gateway.users SET disabled = false WHERE username = 'demo4'")


async def test_unknown_takes_as_long_as_wrong(http: httpx.AsyncClient) -> None:
    async def seconds(name: str) -> float:
        began = time.perf_counter()
        await http.post("/auth/login", json={"username": name, "password": "wrong"})
        return time.perf_counter() - began

    await seconds("demo")
    pairs = [(await seconds("demo"), await seconds("no-such-user")) for _ in range(15)]
    known, unknown = (statistics.median(times) for times in zip(*pairs, strict=True))
    # A skipped hash would make it several times faster.
    assert 0.5 < unknown / known < 2, (known, unknown)


async def test_logins_are_told_to_the_audit_trail(http: httpx.AsyncClient, database: Database) -> None:
    before = len(await events(database, "user.logged_in"))
    failed_before = len(await events(database, "user.login_failed"))
    await login(http, "demo3")
    secret = f"typed-by-mistake-{secrets.token_hex(8)}"
    for name in ("demo3", secret):
        await http.post("/auth/login", json={"username": name, "password": secret})
    told = await events(database, "user.logged_in")
    assert len(told) == before + 1
    assert (told[-1]["topic"], told[-1]["key"]) == ("payment-events", "cust_003")
    failed = (await events(database, "user.login_failed"))[failed_before:]
    assert [event["key"] for event in failed] == ["cust_003", "unknown"]
    assert secret not in str(failed)


async def test_too_many_failures_make_the_name_wait(gateways: Gateways) -> None:
    gateway = await gateways.start(LOGIN_FAILURES=3)
    async with gateway.http() as http:

        async def attempt(name: str, password: str) -> httpx.Response:
            return await http.post("/auth/login", json={"username": name, "password": password})

        for name in ("demo2", "ghost"):
            statuses = [(await attempt(name, "wrong")).status_code for _ in range(4)]
            assert statuses == [401, 401, 401, 429]
        refused = await attempt("demo2", "password123")
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 900
        assert (await attempt("demo", "password123")).status_code == 200


async def test_thirty_logins_at_once_all_succeed(http: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(login(http) for _ in range(30)))
    assert len({answer["access_token"] for answer in answers}) == 30


async def test_refresh_gives_a_new_pair_once(http: httpx.AsyncClient, peer: EchoPeer) -> None:
    first = await login(http)
    second = await http.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    body = second.json()
    assert body["refresh_token"] != first["refresh_token"]
    for token in (first["access_token"], body["access_token"]):
        assert (await http.get("/v1/payments", headers=bearer(token))).status_code == 200
    assert len(peer.seen) == 2


async def test_a_used_refresh_token_ends_the_session_everywhere(
    two: tuple[httpx.AsyncClient, httpx.AsyncClient], database: Database
) -> None:
    first, second = two
    stolen = await login(first)
    thief = (await first.post("/auth/refresh", json={"refresh_token": stolen["refresh_token"]})).json()
    before = len(await events(database, "token.reuse_detected"))
    owner = await second.post("/auth/refresh", json={"refresh_token": stolen["refresh_token"]})
    assert owner.status_code == 401
    assert len(await events(database, "token.reuse_detected")) == before + 1
    for client in two:
        for token in (stolen["access_token"], thief["access_token"]):
            assert (await client.get("/v1/payments", headers=bearer(token))).status_code == 401
        again = await client.post("/auth/refresh", json={"refresh_token": thief["refresh_token"]})
        assert again.status_code == 401
    assert len(await events(database, "token.reuse_detected")) == before + 1


async def test_of_parallel_refreshes_at_most_one_succeeds(http: httpx.AsyncClient) -> None:
    token = (await login(http))["refresh_token"]
    answers = await asyncio.gather(
        *(http.post("/auth/refresh", json={"refresh_token": token}) for _ in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19


async def test_logout_holds_on_all_replicas_within_a_second(
    two: tuple[httpx.AsyncClient, httpx.AsyncClient], database: Database
) -> None:
    first, second = two
    session = await login(first)
    refreshed = (await first.post("/auth/refresh", json={"refresh_token": session["refresh_token"]})).json()
    for client in two:
        assert (await client.get("/v1/payments", headers=bearer(session["access_token"]))).status_code == 200
    answer = await first.post("/auth/logout", headers=bearer(session["access_token"]))
    assert answer.json() == {"success": True}
    for token in (session["access_token"], refreshed["access_token"]):
        for client in two:
            refused = await client.get("/v1/payments", headers=bearer(token))
            assert refused.status_code == 401
            assert refused.json()["code"] == "unauthenticated"
    revoked = await second.post("/payment/confirm", headers=bearer(session["access_token"]))
    assert (revoked.status_code, revoked.json()["error"]) == (401, "TOKEN_REVOKED")
    again = await second.post("/auth/refresh", json={"refresh_token": refreshed["refresh_token"]})
    assert again.status_code == 401
    assert (await events(database, "user.logged_out"))[-1]["key"] == "cust_001"


async def test_logging_out_of_one_session_leaves_the_others(http: httpx.AsyncClient) -> None:
    here, there = await login(http), await login(http)
    await http.post("/auth/logout", headers=bearer(here["access_token"]))
    assert (await http.get("/v1/payments", headers=bearer(there["access_token"]))).status_code == 200


async def test_unauthenticated_says_the_same_whatever_the_reason(
    http: httpx.AsyncClient, identity: Identity
) -> None:
    session = await login(http)
    await http.post("/auth/logout", headers=bearer(session["access_token"]))
    key = identity.gateway_key
    claims = jwt.decode(session["access_token"], key, algorithms=["ES256"]).claims | {"sid": "other"}
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
    expired = jwt.encode(header, claims | {"exp": claims["iat"] - 1}, key, algorithms=["ES256"])
    headers = [{}, bearer("x.y.z"), bearer(expired), bearer(session["access_token"])]
    problems = [(await http.get("/v1/payments", headers=each)).json() for each in headers]
    assert {problem["status"] for problem in problems} == {401}
    without_id = [{**problem, "request_id": ""} for problem in problems]
    assert without_id[1:] == without_id[:-1]


async def test_events_reach_kafka_in_sequence(database: Database, http: httpx.AsyncClient) -> None:
    await login(http)
    end = time.monotonic() + 20
    pending = "SELECT count(*) FROM gateway.outbox WHERE published_at IS NULL"
    while await database.fetchval(pending):
        assert time.monotonic() < end, "the relay has not sent everything"
        await asyncio.sleep(0.2)
    row = await database.fetchrow("SELECT count(*) AS n, max(sequence) AS last FROM gateway.outbox")
    assert row is not None and row["n"] == row["last"] > 0
