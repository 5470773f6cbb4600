"""confirm-service with impatient webhooks, its peers, and merchants' servers on the loopback.

Kafka is out of reach on purpose: webhooks do not wait for it.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from hack.dev.catalog import Servers, environment
from hack.dev.processes import Processes, wait_for
from hack.dev.stack import Stack
from tests.integration.conftest import PORT_OFFSET
from tests.integration.webhooks.receiver import Receiver, receiver

NAME = "confirm-service"
PEERS = ("account-service", "risk-service", "kyc-service", "ofac-service")
TIMEOUT_SECONDS, LEASE_SECONDS = 1.5, 1.0
RETRIES = "0.2,0.4,0.6,0.8"


@dataclass(frozen=True)
class Merchant:
    """A verified customer with one account; `path` is its own at the receiver."""

    id: str
    account: str
    path: str


class System:
    """Calls confirm-service as the gateway would; reads the tables as the oracle."""

    def __init__(
        self,
        stack: Stack,
        http: httpx.AsyncClient,
        database: "asyncpg.Pool[asyncpg.Record]",
        receiver: Receiver,
        variables: dict[str, str],
    ) -> None:
        self.stack = stack
        self.http = http
        self.database = database
        self.receiver = receiver
        self._variables = variables

    async def merchant(self) -> Merchant:
        """A new customer with 1,000.00 USD."""
        token = secrets.token_hex(5).upper()
        merchant = Merchant(f"cust-{token}", f"W{token}", f"/{token}")
        await self.database.execute(
            """INSERT INTO kyc.customers
                   (customer_id, name, email, phone, country, date_of_birth, status, level)
               VALUES ($1, $2, $3, $4, 'US', '1990-01-01', 'verified', 'full')""",
            merchant.id,
            f"Testina {token.translate(str.maketrans('0123456789', 'GHJKLMNPQR'))}",
            f"{token}@example.com",
            f"+1{secrets.randbelow(10**12):012d}",
        )
        await self.database.execute(
            "SELECT accounts.open_account($1, $2, 'USD', 100000)", merchant.account, merchant.id
        )
        return merchant

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        actor: str,
        key: str = "",
        role: str = "customer",
        **query: Any,
    ) -> httpx.Response:
        """A request for `actor`; a POST has a fresh key unless one is given."""
        identity = self.stack.identity
        headers = {
            "Authorization": f"Bearer {identity.token('api-gateway')}",
            "X-Actor-Token": identity.actor_token(
                actor if role == "customer" else "", user_id=actor, role=role
            ),
        }
        if method == "POST":
            headers["Idempotency-Key"] = key or secrets.token_hex(16)
        return await self.http.request(method, path, json=body, headers=headers, params=query)

    async def endpoint(self, merchant: Merchant, *events: str, path: str = "", **more: Any) -> dict[str, Any]:
        """A new endpoint at the receiver, with its secret."""
        body = {
            "url": self.receiver.url + (path or merchant.path),
            "enabled_events": list(events) or ["*"],
        }
        response = await self.call("POST", "/v1/webhook_endpoints", body | more, actor=merchant.id)
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    async def payment(self, payer: Merchant, amount: int = 100) -> dict[str, Any]:
        """A new payment to whoever has the next account."""
        body = {"amount": amount, "currency": "USD", "from_account": payer.account, "to_account": "ACC002"}
        response = await self.call("POST", "/v1/payments", body, actor=payer.id)
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    async def payments(self, payer: Merchant, count: int) -> None:
        """Several payments, eight at a time."""
        slots = asyncio.Semaphore(8)

        async def one() -> None:
            async with slots:
                await self.payment(payer)

        await asyncio.gather(*(one() for _ in range(count)))

    async def outbox(self, merchant: Merchant) -> list[str]:
        """Ids of all events of the merchant's payments and refunds, from the outbox."""
        rows = await self.database.fetch(
            """SELECT event_id FROM payments.outbox WHERE topic = 'payment-events'
               AND payload->>'customer_id' = $1 AND type ~ '^(payment|refund)\\.' ORDER BY id""",
            merchant.id,
        )
        return [row[0] for row in rows]

    async def deliveries(
        self, endpoint: dict[str, Any], actor: Merchant, **query: Any
    ) -> list[dict[str, Any]]:
        """The endpoint's log, newest first."""
        path = f"/v1/webhook_endpoints/{endpoint['id']}/deliveries"
        response = await self.call("GET", path, actor=actor.id, **query)
        assert response.status_code == 200, response.text
        data: list[dict[str, Any]] = response.json()["data"]
        return data

    async def settled(
        self, endpoint: dict[str, Any], actor: Merchant, status: str, count: int = 1, seconds: float = 15
    ) -> list[dict[str, Any]]:
        """Wait until `count` deliveries have this status; them."""
        end = time.monotonic() + seconds
        while len(found := await self.deliveries(endpoint, actor, status=status, limit=100)) < count:
            assert time.monotonic() < end, await self.deliveries(endpoint, actor)
            await asyncio.sleep(0.05)
        return found

    def kill(self) -> None:
        """SIGKILL confirm-service."""
        self.stack.processes.kill(NAME)

    async def restart(self) -> None:
        """Start confirm-service after it was killed."""
        await asyncio.to_thread(self.stack.start, [NAME])

    @contextmanager
    def replica(self, **variables: str) -> Iterator[str]:
        """A second confirm-service; its URL."""
        ports = self.stack.ports | {NAME: self.stack.ports[NAME] + 20}
        service = self.stack.services[NAME]
        values = environment(service, self.stack.identity, self.stack.servers, ports)
        processes = Processes(self.stack.processes.log_folder)
        url = f"http://127.0.0.1:{ports[NAME]}"
        processes.start("replica", values | self._variables | variables)
        try:
            wait_for(f"{url}/ready", seconds=120, alive=processes)
            yield url
        finally:
            processes.stop()


@pytest.fixture(scope="session")
async def system(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A stack of its own with a receiver."""
    folder: Path = tmp_path_factory.mktemp("webhooks")
    own = Servers(servers.postgres, servers.redis, servers.kafka, f"{servers.database}_webhooks")
    variables = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "WEBHOOKS_RETRY_SECONDS": RETRIES,
        "WEBHOOKS_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        "WEBHOOKS_LEASE_SECONDS": str(LEASE_SECONDS),
    }
    offset = PORT_OFFSET + 40
    stack = Stack(folder / "identity", own, offset=offset, log_folder=folder / "logs", variables=variables)
    stack.prepare()
    try:
        stack.start([*PEERS, NAME])
        async with (
            receiver() as made,
            httpx.AsyncClient(base_url=stack.url(NAME), timeout=30) as http,
            asyncpg.create_pool(stack.admin_dsn(), min_size=1, max_size=4) as database,
        ):
            yield System(stack, http, database, made, variables)
    finally:
        stack.stop()
