"""Encrypted requests in both forms: opened, answered under their key, taken once."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from hack.dev.stack import Stack
from tests.integration.gateway.conftest import Gateway, Gateways, bearer, login
from tests.support.echo_peer import EchoPeer
from tests.support.proxy import proxy
from tests.support.sealing import Encoding, content_key, open_jwe, seal, seal_jwe

ROUTE = "POST /payment/confirm"
BODY = b'{"transaction_id": "txn_001", "customer_id": "cust_001", "amount": 1000.00}'
ANSWER = {"status": "SUCCESS", "transaction_id": "txn_001", "amount": 1000.0}


@pytest.fixture(scope="module")
async def public(gateway: Gateway) -> dict[str, Any]:
    """The published encryption key."""
    async with gateway.http() as http:
        keys = (await http.get("/.well-known/jwks.json")).json()["keys"]
    (key,) = [key for key in keys if key["use"] == "enc"]
    assert (key["kty"], key["alg"]) == ("RSA", "RSA-OAEP-256")
    found: dict[str, Any] = key
    return found


@pytest.fixture(scope="module")
def private(stack: Stack) -> RSAKey:
    """The gateway's private key, to look into what clients keep secret."""
    keys = json.loads((stack.identity.root / "encryption/private.jwks.json").read_text())
    return RSAKey.import_key(keys["keys"][0])


@pytest.fixture
async def api(gateway: Gateway, peer: EchoPeer) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is logged in as demo; the peer confirms."""
    peer.body = json.dumps(ANSWER).encode()
    async with gateway.http() as client:
        client.headers.update(bearer((await login(client))["access_token"]))
        yield client


async def post(api: httpx.AsyncClient, content: bytes | str, **headers: str) -> httpx.Response:
    """To the original's route, under a new Idempotency-Key."""
    base = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8)}
    return await api.post("/payment/confirm", content=content, headers=base | headers)


async def post_sealed(api: httpx.AsyncClient, content: bytes) -> httpx.Response:
    return await post(api, content, **{"X-Encrypted": "true"})


async def post_jwe(api: httpx.AsyncClient, token: str) -> httpx.Response:
    return await post(api, token, **{"Content-Type": "application/jose"})


def refused(answer: httpx.Response) -> dict[str, Any]:
    """What the problem says, but for its request."""
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["error"] == "DECRYPTION_FAILED"
    return {name: value for name, value in problem.items() if name != "request_id"}


@pytest.mark.parametrize("iv_bytes", [12, 16])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
async def test_the_originals_form(
    api: httpx.AsyncClient, peer: EchoPeer, public: dict[str, Any], encoding: Encoding, iv_bytes: int
) -> None:
    sealed = seal(public, BODY, encoding=encoding, iv_bytes=iv_bytes)
    answer = await post_sealed(api, sealed.body)
    assert answer.status_code == 200
    assert peer.last.body == BODY
    assert peer.last.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"encrypted_payload", "iv", "auth_tag"}
    assert sealed.open(answer.content) == ANSWER


async def test_jwe(api: httpx.AsyncClient, peer: EchoPeer, public: dict[str, Any], private: RSAKey) -> None:
    header = {"iat": int(time.time()), "jti": secrets.token_hex(8), "sub": "cust_001", "aud": ROUTE}
    token = seal_jwe(public, BODY, **header)
    answer = await post_jwe(api, token)
    assert answer.status_code == 200
    assert peer.last.body == BODY
    assert answer.headers["content-type"] == "application/jose"
    assert b"SUCCESS" not in answer.content
    assert open_jwe(answer.content, content_key(private, token)) == ANSWER


async def test_a_jwe_for_v1(api: httpx.AsyncClient, peer: EchoPeer, public: dict[str, Any]) -> None:
    path = "/v1/payments/p1/confirm"
    token = seal_jwe(public, b"{}", aud=f"POST {path}")
    headers = {"Content-Type": "application/jose", "Idempotency-Key": "k"}
    answer = await api.post(path, content=token, headers=headers)
    assert (answer.status_code, peer.last.body) == (200, b"{}")


async def test_problems_come_back_plain(
    api: httpx.AsyncClient, peer: EchoPeer, public: dict[str, Any]
) -> None:
    peer.status, peer.body = 402, b'{"code": "insufficient_funds"}'
    answer = await post_sealed(api, seal(public, BODY).body)
    assert (answer.status_code, answer.content) == (402, peer.body)
    missing = await post_sealed(api, seal(public, b'{"customer_id": "cust_001"}').body)
    assert missing.status_code == 400
    assert missing.json()["missing_fields"] == ["transaction_id", "amount"]


async def test_a_body_is_taken_once(api: httpx.AsyncClient, peer: EchoPeer, public: dict[str, Any]) -> None:
    sealed = seal(public, BODY)
    assert (await post_sealed(api, sealed.body)).status_code == 200
    refused(await post_sealed(api, sealed.body))
    respelt = {name: value.upper() for name, value in sealed.members.items()}
    refused(await post_sealed(api, json.dumps(respelt).encode()))
    token = seal_jwe(public, BODY)
    assert (await post_jwe(api, token)).status_code == 200
    refused(await post_jwe(api, token))
    assert len(peer.seen) == 2


async def test_of_parallel_copies_one_is_taken(
    gateways: Gateways, gateway: Gateway, api: httpx.AsyncClient, peer: EchoPeer, public: dict[str, Any]
) -> None:
    second = await gateways.start(prefix=gateway.prefix)
    token = seal_jwe(public, BODY)
    async with second.http() as other:
        other.headers.update({"Authorization": api.headers["Authorization"]})
        answers = await asyncio.gather(*(post_jwe(client, token) for client in (api, other) * 10))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19
    assert len(peer.seen) == 1


async def test_a_token_id_is_taken_once_for_each_user(api: httpx.AsyncClient, public: dict[str, Any]) -> None:
    first, second = (seal_jwe(public, BODY, jti="the-same", iat=int(time.time())) for _ in range(2))
    assert (await post_jwe(api, first)).status_code == 200
    refused(await post_jwe(api, second))


async def test_bindings(api: httpx.AsyncClient, peer: EchoPeer, public: dict[str, Any]) -> None:
    now = int(time.time())
    for header in (
        {"sub": "cust_002"},
        {"aud": "POST /v1/payments"},
        {"aud": "GET /payment/confirm"},
        {"iat": now - 400},
        {"iat": now + 400},
        {"exp": now + 60},
        {"jku": "https://keys.example.com"},
    ):
        refused(await post_jwe(api, seal_jwe(public, BODY, **header)))
    assert peer.seen == []


async def test_every_failure_says_the_same(
    api: httpx.AsyncClient, peer: EchoPeer, public: dict[str, Any]
) -> None:
    stranger = RSAKey.generate_key(3072, {"kid": public["kid"], "use": "enc"}).as_dict(private=False)
    used = seal(public, BODY)
    await post_sealed(api, used.body)
    peer.seen.clear()
    bodies = [used.body, seal(stranger, BODY).body, seal(public, b"not json").body, b"{}", b"nonsense"]
    for name in used.members:
        fresh = seal(public, BODY).members
        flipped = format(int(fresh[name][:2], 16) ^ 1, "02x") + fresh[name][2:]
        bodies.append(json.dumps(fresh | {name: flipped}).encode())
        bodies.append(json.dumps(fresh | {name: fresh[name][:-2]}).encode())
    tokens = [seal_jwe(stranger, BODY), seal_jwe(public, b"not json"), seal_jwe(public, BODY, sub="cust_002")]
    for part in range(5):
        parts = seal_jwe(public, BODY).split(".")
        middle = len(parts[part]) // 2
        swapped = "A" if parts[part][middle] != "A" else "B"
        parts[part] = parts[part][:middle] + swapped + parts[part][middle + 1 :]
        tokens.append(".".join(parts))
    problems = [refused(await post_sealed(api, body)) for body in bodies]
    problems += [refused(await post_jwe(api, token)) for token in tokens]
    assert all(problem == problems[0] for problem in problems)
    assert peer.seen == []


async def test_encrypted_requests_need_a_token(http: httpx.AsyncClient, public: dict[str, Any]) -> None:
    answer = await post_sealed(http, seal(public, BODY).body)
    assert (answer.status_code, answer.json()["error"]) == (401, "ACCESS_TOKEN_REQUIRED")


async def test_without_redis_nothing_encrypted_is_taken(
    gateways: Gateways, stack: Stack, peer: EchoPeer, public: dict[str, Any]
) -> None:
    async with proxy(stack.servers.redis) as cache:
        gateway = await gateways.start(REDIS_PORT=cache.port)
        async with gateway.http() as http:
            http.headers.update(bearer((await login(http))["access_token"]))
            await cache.cut()
            answer = await post_sealed(http, seal(public, BODY).body)
            assert (answer.status_code, answer.json()["retryable"]) == (503, True)
            assert peer.seen == []
            assert (await post(http, BODY)).status_code == 200
