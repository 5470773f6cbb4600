"""Encrypted requests in both forms: opened, answered under their key, taken once."""

import asyncio
import base64
import json
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import redis.asyncio
from joserfc.jwk import RSAKey

from hack.dev.identity import REDIS_PASSWORD
from hack.dev.stack import Stack
from tests.integration.gateway.conftest import Gateway, Gateways, bearer, login
from tests.support.echo_peer import EchoPeer
from tests.support.proxy import proxy
from tests.support.sealing import Encoding, content_key, key_of, open_jwe, seal, seal_jwe

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
    key = key_of(token) or secrets.token_hex(8)
    return await post(api, token, **{"Content-Type": "application/jose", "Idempotency-Key": key})


def refused(answer: httpx.Response, path: str = "/payment/confirm") -> dict[str, Any]:
    """What the problem says, but for its request."""
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert (problem["error"], problem["instance"]) == ("DECRYPTION_FAILED", path)
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
    token = seal_jwe(public, BODY, aud=ROUTE)
    answer = await post_jwe(api, token)
    assert answer.status_code == 200
    assert peer.last.body == BODY
    assert answer.headers["content-type"] == "application/jose"
    assert b"SUCCESS" not in answer.content
    assert open_jwe(answer.content, content_key(private, token)) == ANSWER


async def test_a_jwe_for_v1(api: httpx.AsyncClient, peer: EchoPeer, public: dict[str, Any]) -> None:
    path = "/v1/payments/p1/confirm"
    token = seal_jwe(public, b"{}", aud=f"POST {path}", idempotency_key="k")
    headers = {"Content-Type": "application/jose", "Idempotency-Key": "k"}
    answer = await api.post(path, content=token, headers=headers)
    assert (answer.status_code, peer.last.body) == (200, b"{}")
    # The original's form is bound to no route, so it is taken on the original's alone.
    sealed = {"X-Encrypted": "true", "Content-Type": "application/json", "Idempotency-Key": "k"}
    refused(await api.post(path, content=seal(public, b"{}").body, headers=sealed), path)
    assert len(peer.seen) == 1


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
    changes: list[dict[str, Any]] = [
        {"sub": "cust_002"},
        {"aud": "POST /v1/payments"},
        {"aud": "GET /payment/confirm"},
        {"iat": now - 400},
        {"iat": now + 400},
        {"idempotency_key": "another"},
        *({name: None} for name in ("sub", "aud", "iat", "jti", "idempotency_key")),
        {"jti": ""},
        {"exp": now + 60},
        {"jku": "https://keys.example.com"},
    ]
    for header in changes:
        token = seal_jwe(public, BODY, **{"idempotency_key": "mine"} | header)
        headers = {"Content-Type": "application/jose", "Idempotency-Key": "mine"}
        refused(await post(api, token, **headers))
    assert peer.seen == []


async def test_without_a_key_an_encrypted_request_is_told_so(
    api: httpx.AsyncClient, public: dict[str, Any]
) -> None:
    headers = {"Content-Type": "application/jose"}
    answer = await api.post("/payment/confirm", content=seal_jwe(public, BODY), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "missing_idempotency_key")


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
    tokens += mutations(public)
    problems = [refused(await post_sealed(api, body)) for body in bodies]
    problems += [refused(await post_jwe(api, token)) for token in tokens]
    print(f"{len(problems)} mutations, {len({str(problem) for problem in problems})} answer")  # noqa: T201
    assert all(problem == problems[0] for problem in problems)
    assert peer.seen == []


def mutations(public: dict[str, Any]) -> list[str]:
    """Tokens that were good once: each header member and each part changed, downgraded, compressed."""
    changes: list[dict[str, Any]] = [
        *({"alg": alg} for alg in ("RSA1_5", "RSA-OAEP", "RSA-OAEP-512", "dir", "none", "A256KW", "", None)),
        *({"enc": enc} for enc in ("A128GCM", "A192GCM", "A128CBC-HS256", "A256CBC-HS512", "none", None)),
        {"zip": "DEF"},
        {"crit": ["exp"]},
        {"p2c": 10**9, "p2s": "AA"},
        {"jku": "https://keys.example.com"},
        {"jwk": {}},
        {"x5u": "https://keys.example.com"},
        {"epk": {}},
        {"kid": "../../dev/null"},
        {"kid": "unknown"},
        {"iat": "now"},
        {"iat": 10**400},
        {"iat": True},
        {"jti": 7},
        {"sub": "cust_002"},
        {"aud": ["POST /payment/confirm"]},
        {"aud": "POST /v1/payments"},
        {"typ": "JWT"},
        {"cty": "JWT"},
    ]
    found = []
    for change in changes:
        header, _, rest = seal_jwe(public, BODY).partition(".")
        members = json.loads(base64.urlsafe_b64decode(header + "==")) | change
        text = json.dumps({name: value for name, value in members.items() if value is not None})
        found.append(f"{_plain(text.encode())}.{rest}")
    for part in range(5):
        for position in (0, 0.5, 1):
            parts = seal_jwe(public, BODY).split(".")
            at = int((len(parts[part]) - 1) * position)
            swapped = "A" if parts[part][at] != "A" else "B"
            parts[part] = parts[part][:at] + swapped + parts[part][at + 1 :]
            found.append(".".join(parts))
        for less in ("", "A"):
            parts = seal_jwe(public, BODY).split(".")
            parts[part] = less
            found.append(".".join(parts))
    found += [seal_jwe(public, body, zip="DEF") for body in (BODY, b"0" * 5_000_000)]
    token = seal_jwe(public, BODY)
    found += [token + ".", token + ".x", "." + token, token.rpartition(".")[0], token.replace(".", "..", 1)]
    return found


def _plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def test_every_failure_takes_as_long(api: httpx.AsyncClient, public: dict[str, Any]) -> None:
    stranger = RSAKey.generate_key(public_bits(public), {"kid": public["kid"], "use": "enc"}).as_dict(
        private=False
    )

    def wrong_tag() -> str:
        parts = seal_jwe(public, BODY).split(".")
        return ".".join([*parts[:4], _plain(bytes(16))])

    kinds: dict[str, Callable[[], str]] = {
        "not unwrapped": lambda: seal_jwe(stranger, BODY),
        "tag": wrong_tag,
        "algorithm": lambda: seal_jwe(public, BODY, zip="DEF"),
        "binding": lambda: seal_jwe(public, BODY, sub="cust_002"),
        "garbage": lambda: "a.b.c.d.e",
    }
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(25):
        for kind, make in kinds.items():
            token = make()
            began = time.perf_counter()
            refused(await post_jwe(api, token))
            times[kind].append(time.perf_counter() - began)
    medians = {kind: statistics.median(found) for kind, found in times.items()}
    print({kind: f"{seconds * 1000:.2f} ms" for kind, seconds in medians.items()})  # noqa: T201
    # Without the pretended work garbage takes less than half as long.
    assert max(medians.values()) < 1.7 * min(medians.values()), medians


def public_bits(public: dict[str, Any]) -> int:
    """Size of an RSA key."""
    return len(base64.urlsafe_b64decode(public["n"] + "==")) * 8


async def test_a_copy_after_redis_was_wiped_meets_its_own_key_again(
    stack: Stack, gateway: Gateway, api: httpx.AsyncClient, peer: EchoPeer, public: dict[str, Any]
) -> None:
    token = seal_jwe(public, BODY)
    assert (await post_jwe(api, token)).status_code == 200
    host, port = stack.servers.redis
    async with redis.asyncio.Redis(host=host, port=port, password=REDIS_PASSWORD) as admin:
        marks = [key async for key in admin.scan_iter(f"{gateway.prefix}:payload:*")]
        assert marks
        assert {0 < await admin.ttl(key) <= 86_400 for key in marks} == {True}
        await admin.delete(*marks)
    headers = {"Content-Type": "application/jose", "Idempotency-Key": "another"}
    refused(await post(api, token, **headers))
    # Under its own key it gets through to confirm-service, where a key does nothing twice.
    assert (await post_jwe(api, token)).status_code == 200
    assert {request.headers["idempotency-key"] for request in peer.seen} == {key_of(token)}


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
