"""What reaches the services behind, and what comes back from them."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from joserfc import jwt

from hack.dev.identity import Identity
from payments.common.auth import ActorVerifier
from tests.integration.gateway.conftest import Gateway, Gateways, bearer, login
from tests.support.echo_peer import EchoPeer

BODY = b'{ "transaction_id":"txn_001","customer_id" : "cust_001","amount": 1000.00, "x_note": "\xc3\xa9" }'


@pytest.fixture(scope="module")
async def token(gateway: Gateway) -> str:
    """An access token of demo."""
    async with gateway.http() as http:
        return str((await login(http))["access_token"])


@pytest.fixture
async def api(gateway: Gateway, token: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is logged in as demo."""
    async with gateway.http() as client:
        client.headers.update(bearer(token))
        yield client


def confirm(key: str = "key-1") -> dict[str, str]:
    return {"Content-Type": "application/json", "Idempotency-Key": key}


async def test_the_body_arrives_byte_for_byte(api: httpx.AsyncClient, peer: EchoPeer) -> None:
    answer = await api.post("/payment/confirm", content=BODY, headers=confirm())
    assert answer.status_code == 200
    assert (peer.last.method, peer.last.path, peer.last.body) == ("POST", "/payment/confirm", BODY)
    assert peer.last.headers["idempotency-key"] == "key-1"
    assert peer.last.headers["content-type"] == "application/json"


async def test_the_answer_comes_back_byte_for_byte(api: httpx.AsyncClient, peer: EchoPeer) -> None:
    peer.status, peer.body = 202, b'{"status": "PROCESSING",  "amount": 1000.00}'
    peer.headers = {
        "Location": "/v1/payments/p1",
        "Retry-After": "2",
        "X-Internal": "secret",
        "Set-Cookie": "a=b",
    }
    answer = await api.post("/payment/confirm", content=BODY, headers=confirm())
    assert (answer.status_code, answer.content) == (202, peer.body)
    assert answer.headers["location"] == "/v1/payments/p1"
    assert answer.headers["retry-after"] == "2"
    assert "x-internal" not in answer.headers and "set-cookie" not in answer.headers


async def test_changes_and_deletions_are_passed_on_and_need_no_key(
    api: httpx.AsyncClient, peer: EchoPeer
) -> None:
    path, body = "/v1/webhook_endpoints/w1", b'{ "status":"disabled" }'
    changed = await api.patch(path, content=body, headers={"Content-Type": "application/json"})
    assert changed.status_code == 200
    assert (peer.last.method, peer.last.path, peer.last.body) == ("PATCH", path, body)
    assert "idempotency-key" not in peer.last.headers
    assert (await api.delete(path)).status_code == 200
    assert (peer.last.method, peer.last.path, peer.last.body) == ("DELETE", path, b"")


async def test_services_see_whom_the_gateway_speaks_for(
    api: httpx.AsyncClient, peer: EchoPeer, identity: Identity, token: str
) -> None:
    await api.get("/v1/accounts")
    seen = peer.last.headers
    actor = ActorVerifier(identity.root / "gateway-jwks.json").verify(seen["x-actor-token"])
    assert actor is not None
    assert (actor.customer_id, actor.role) == ("cust_001", "customer")
    claims = jwt.decode(seen["x-actor-token"], identity.gateway_key, algorithms=["ES256"]).claims
    assert claims["exp"] - claims["iat"] <= 300
    assert token not in str(seen)
    assert seen["authorization"] != f"Bearer {token}"
    await api.get("/v1/accounts")
    assert peer.last.headers["x-actor-token"] == seen["x-actor-token"]


async def test_client_headers_do_not_leak_inside(api: httpx.AsyncClient, peer: EchoPeer) -> None:
    forged = {
        "X-Actor-Token": "forged",
        "X-Deadline": "1",
        "X-User-ID": "cust_002",
        "Cookie": "a=b",
        "X-Request-Id": "my-request-7",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    answer = await api.get("/v1/payments", headers=forged)
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] == "my-request-7"
    seen = peer.last.headers
    assert seen["x-actor-token"] != "forged"
    assert float(seen["x-deadline"]) > 1_000_000_000
    assert "cookie" not in seen and "x-user-id" not in seen
    assert seen["x-request-id"] == "my-request-7"
    assert seen["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c-")


@pytest.mark.parametrize(
    ("path", "arrives"),
    [
        ("/v1/payments", "/v1/payments"),
        ("/v1/payments?limit=5&status=succeeded", "/v1/payments?limit=5&status=succeeded"),
        (
            "/v1/payments?created_gte=2026-01-01T00:00:00%2B01:00",
            "/v1/payments?created_gte=2026-01-01T00:00:00%2B01:00",
        ),
        ("/v1/payments/txn_001", "/v1/payments/txn_001"),
        ("/v1/payments/txn_001/events", "/v1/payments/txn_001/events"),
        ("/v1/refunds/r-1", "/v1/refunds/r-1"),
        ("/v1/accounts", "/v1/accounts"),
        ("/v1/accounts/ACC001", "/v1/accounts/ACC001"),
        ("/v1/accounts/ACC001/entries?limit=2", "/v1/accounts/ACC001/entries?limit=2"),
    ],
)
async def test_reads_arrive(api: httpx.AsyncClient, peer: EchoPeer, path: str, arrives: str) -> None:
    answer = await api.get(path)
    assert (answer.status_code, answer.content) == (200, peer.body)
    assert peer.last.method == "GET"
    assert peer.last.path.replace("%3A", ":") == arrives


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/payments", {"amount": 1, "currency": "JPY", "from_account": "ACC001", "to_account": "ACC002"}),
        ("/v1/payments/p1/confirm", {"otp": "123456"}),
        ("/v1/payments/p1/confirm", {}),
        ("/v1/payments/p1/cancel", {}),
        ("/v1/payments/p1/otp", {}),
        ("/v1/payments/p1/refunds", {"amount": 5, "reason": "broken"}),
    ],
)
async def test_orders_arrive(api: httpx.AsyncClient, peer: EchoPeer, path: str, body: object) -> None:
    content = json.dumps(body).encode()
    peer.status = 201
    answer = await api.post(path, content=content, headers=confirm("k"))
    assert answer.status_code == 201, answer.text
    assert (peer.last.path, peer.last.body) == (path, content)


async def test_no_body_is_an_empty_order(api: httpx.AsyncClient, peer: EchoPeer) -> None:
    answer = await api.post("/v1/payments/p1/confirm", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200
    assert (peer.last.path, peer.last.body) == ("/v1/payments/p1/confirm", b"")


async def test_operators_and_auditors_have_routes_of_their_own(
    http: httpx.AsyncClient, peer: EchoPeer, identity: Identity
) -> None:
    operator = bearer((await login(http, "operator"))["access_token"])
    auditor = bearer((await login(http, "auditor"))["access_token"])
    assert (await http.get("/v1/reviews", headers=operator)).status_code == 200
    answer = await http.post("/v1/reviews/p1/approve", headers=operator | {"Idempotency-Key": "k"})
    assert (answer.status_code, peer.last.path) == (200, "/v1/reviews/p1/approve")
    answer = await http.get("/v1/audit/events?payment_id=p1", headers=auditor)
    assert (answer.status_code, peer.last.path) == (200, "/events?payment_id=p1")
    actor = ActorVerifier(identity.root / "gateway-jwks.json").verify(peer.last.headers["x-actor-token"])
    assert actor is not None and (actor.customer_id, actor.role) == ("", "auditor")


@pytest.mark.parametrize("status", [400, 402, 404, 409, 422, 429, 500, 503])
async def test_problems_from_behind_come_through(api: httpx.AsyncClient, peer: EchoPeer, status: int) -> None:
    peer.status = status
    peer.body = json.dumps({"status": status, "code": "some_code"}).encode()
    answer = await api.post("/payment/confirm", content=BODY, headers=confirm())
    assert (answer.status_code, answer.content) == (status, peer.body)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("status", "code"), [(401, "caller_unauthenticated"), (403, "caller_not_allowed")])
async def test_a_refusal_of_the_gateway_itself_is_no_fault_of_the_customer(
    api: httpx.AsyncClient, peer: EchoPeer, status: int, code: str
) -> None:
    peer.status, peer.body = status, json.dumps({"code": code}).encode()
    answer = await api.get("/v1/payments")
    assert answer.status_code == 503
    assert answer.json()["error"] == "SERVICE_UNAVAILABLE"


async def test_the_same_goes_on_under_load(api: httpx.AsyncClient, peer: EchoPeer) -> None:
    answers = await asyncio.gather(
        *(api.post("/payment/confirm", content=BODY, headers=confirm(f"k{n}")) for n in range(100))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert {seen.headers["idempotency-key"] for seen in peer.seen} == {f"k{n}" for n in range(100)}


async def test_a_service_that_is_away_is_503(gateways: Gateways) -> None:
    gateway = await gateways.start(CONFIRM_SERVICE_URL="http://127.0.0.1:9")
    async with gateway.http() as http:
        token = (await login(http))["access_token"]
        answer = await http.post("/payment/confirm", content=BODY, headers=confirm() | bearer(token))
        assert answer.status_code == 503
        problem = answer.json()
        assert (problem["error"], problem["retryable"]) == ("SERVICE_UNAVAILABLE", True)
        assert int(answer.headers["retry-after"]) >= 1
        health = (await http.get("/health")).json()
        assert health["status"] == "healthy"
        assert health["dependencies"]["confirm_service"] == "unhealthy"
        assert health["dependencies"]["redis"] == "healthy"


async def test_a_service_that_hangs_is_503_in_time(gateways: Gateways, peer: EchoPeer) -> None:
    gateway = await gateways.start(REQUEST_TIMEOUT_SECONDS=1)
    async with gateway.http() as http:
        token = (await login(http))["access_token"]
        peer.delay = 5
        began = asyncio.get_running_loop().time()
        answer = await http.post("/payment/confirm", content=BODY, headers=confirm() | bearer(token))
        assert asyncio.get_running_loop().time() - began < 3
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
