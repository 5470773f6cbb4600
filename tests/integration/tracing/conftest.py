"""A stack of its own that sends its traces to the test."""

import re
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hack.dev import containers
from hack.dev.catalog import Servers
from hack.dev.stack import Stack
from tests.integration.conftest import PORT_OFFSET, PREFIX
from tests.support.otlp_receiver import Receiver

ON_US = {"currency": "USD", "from_account": "ACC003", "to_account": "ACC002", "amount": 100}
OFF_US = {
    **{"currency": "USD", "from_account": "ACC003", "to_account": "9876543210", "amount": 100},
    **{"to_routing_number": "021000021", "to_name": "Wilma Aldergrove"},
}


@pytest.fixture(scope="package")
def receiver() -> Iterator[Receiver]:
    """The collector."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="package")
def traced(servers: Servers, tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Stack]:
    """All services, every trace recorded."""
    folder: Path = tmp_path_factory.mktemp("tracing")
    # With the Kafka of the other stacks, their consumers would take a part of the events.
    kafka = containers.start(f"{PREFIX}-tracing", offset=PORT_OFFSET + 400, only=("kafka",)).kafka
    stack = Stack(
        folder / "identity",
        Servers(servers.postgres, servers.redis, kafka, f"{servers.database}_tracing"),
        offset=PORT_OFFSET + 400,
        log_folder=folder / "logs",
        variables={
            "RATE_LIMIT_REQUESTS": "1000000",
            "LOG_LEVEL": "DEBUG",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_TRACES_SAMPLER_ARG": "1",
            "OTEL_BSP_SCHEDULE_DELAY": "1000",
            "WEBHOOKS_RETRY_SECONDS": "0.3,0.3",
        },
    )
    stack.prepare()
    stack.start()
    yield stack
    stack.stop()
    containers.stop(f"{PREFIX}-tracing")


class Customer:
    """Makes payments through the gateway."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient) -> None:
        self._stack = stack
        self._client = client

    async def login(self) -> str:
        """The access token, which all later requests carry."""
        credentials = {"username": "demo3", "password": "password123"}
        answer = await self._client.post("/auth/login", json=credentials)
        token: str = answer.json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"
        return token

    async def create(self, body: dict[str, Any]) -> str:
        """Id of a new payment."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        answer = await self._client.post("/v1/payments", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        payment: str = answer.json()["id"]
        return payment

    async def endpoint(self, url: str) -> str:
        """Id of a new webhook endpoint for all events."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        body = {"url": url, "enabled_events": ["*"]}
        answer = await self._client.post("/v1/webhook_endpoints", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        endpoint: str = answer.json()["id"]
        return endpoint

    async def drop(self, endpoint: str) -> None:
        """Delete a webhook endpoint."""
        answer = await self._client.delete(f"/v1/webhook_endpoints/{endpoint}")
        assert answer.status_code < 300, answer.text

    async def confirm(
        self, payment: str, body: dict[str, Any] | None = None, *, status: int = 200, **headers: str
    ) -> Any:
        """The answer to a confirmation."""
        headers = {"Idempotency-Key": f"confirm-{payment}", **headers}
        answer = await self._client.post(f"/v1/payments/{payment}/confirm", json=body or {}, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def password(self) -> str:
        """The newest one-time password that the sandbox sent."""
        url = f"{self._stack.url('notification-service')}/sandbox/messages"
        answer = await self._client.get(url, params={"to": "cust_003"}, headers={"Authorization": ""})
        texts = " ".join(message["body"] for message in answer.json()["messages"])
        return str(re.findall(r"\b[0-9]{6}\b", texts)[0])


@pytest.fixture
async def customer(traced: Stack) -> AsyncIterator[Customer]:
    """A customer who is signed in."""
    async with httpx.AsyncClient(base_url=traced.url("api-gateway"), timeout=30) as client:
        customer = Customer(traced, client)
        await customer.login()
        yield customer
