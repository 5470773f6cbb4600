import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from hack.dev.identity import NAMESPACE, Identity
from payments.common import routes
from payments.common.app import create_app
from payments.common.routes import Call
from payments.common.settings import ServiceSettings


class Body(msgspec.Struct, forbid_unknown_fields=True):
    amount: int


async def double(call: Call[Body]) -> dict[str, Any]:
    return {
        "amount": call.body.amount * 2,
        "caller": call.caller,
        "actor": call.actor and call.actor.customer_id,
    }


async def fail(_: Call[None]) -> None:
    raise ZeroDivisionError("secret detail")


async def slow(_: Call[None]) -> None:
    await asyncio.sleep(30)


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity(tmp_path_factory.mktemp("identity"))


@asynccontextmanager
async def service(identity: Identity, *, database_up: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    settings = ServiceSettings(
        service="doubling-service",
        http_port=3000,
        request_timeout_seconds=0.5,
        identity_issuer_file=identity.root / "issuer",
        identity_jwks_file=identity.root / "jwks.json",
        identity_namespace=NAMESPACE,
        gateway_jwks_file=identity.root / "gateway-jwks.json",
        allowed_callers="api-gateway, confirm-service",
    )

    async def ready() -> bool:
        return database_up

    async def broken() -> None:
        raise ConnectionError

    app = create_app(
        settings,
        routes=[routes.post("/double", Body, double), routes.get("/fail", fail), routes.get("/slow", slow)],
        ready=ready,
        dependencies={"redis": broken},
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {identity.token('api-gateway')}"}
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(
            transport=transport, base_url="http://service", headers=headers
        ) as client:
            yield client


async def test_a_call_knows_caller_and_actor(identity: Identity) -> None:
    async with service(identity) as client:
        headers = {"X-Actor-Token": identity.actor_token("cust_001"), "X-Request-Id": "abc-1"}
        answer = await client.post("/double", content=b'{"amount": 21}', headers=headers)
        assert (answer.status_code, answer.json()) == (
            200,
            {"amount": 42, "caller": "api-gateway", "actor": "cust_001"},
        )
        assert answer.headers["x-request-id"] == "abc-1"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_request"),
        (b"\xff", 400, "malformed_request"),
        (b'{"amount": NaN}', 400, "malformed_request"),
        (b'{"amount": "1"}', 422, "validation_failed"),
        (b'{"amount": 1.5}', 422, "validation_failed"),
        (b'{"amount": 1, "more": 2}', 422, "validation_failed"),
        (b"[]", 422, "validation_failed"),
        (b"[" * 100_000, 422, "validation_failed"),
        (b'{"more": ' + b"[" * 100_000, 422, "validation_failed"),
        (b"", 422, "validation_failed"),
    ],
)
async def test_bad_bodies_are_problems(identity: Identity, body: bytes, status: int, code: str) -> None:
    async with service(identity) as client:
        answer = await client.post("/double", content=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_errors_around_the_route(identity: Identity) -> None:
    async with service(identity) as client:
        expected = {
            ("GET", "/nothing"): (404, "not_found"),
            ("GET", "/double"): (405, "method_not_allowed"),
            ("GET", "/fail"): (500, "internal_error"),
            ("GET", "/slow"): (503, "service_unavailable"),
        }
        for (method, path), outcome in expected.items():
            answer = await client.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == outcome
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
            assert "secret detail" not in answer.text


async def test_strangers_are_not_served(identity: Identity) -> None:
    async with service(identity) as client:
        for token, status in ((identity.token("otp-service"), 403), ("x.y.z", 401)):
            answer = await client.post("/double", content=b"{}", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == status


async def test_probes(identity: Identity, tmp_path: Path) -> None:
    assert tmp_path.exists()
    for up, ready_status, word in ((True, 200, "healthy"), (False, 503, "unhealthy")):
        async with service(identity, database_up=up) as client:
            client.headers.pop("Authorization")
            assert (await client.get("/live")).status_code == 200
            assert (await client.get("/ready")).status_code == ready_status
            scraped = await client.get("/metrics", headers={"Accept": "text/plain"})
            assert scraped.headers["content-type"].startswith("text/plain")
            assert "process_cpu_seconds_total" in scraped.text
            health = (await client.get("/health")).json()
            assert health["status"] == word
            assert health["dependencies"] == {"redis": "unhealthy"}
