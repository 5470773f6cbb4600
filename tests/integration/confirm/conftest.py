"""confirm-service among its real peers, each behind a gate that can fail; customers of its own."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from hack.dev.catalog import Servers
from hack.dev.stack import Stack
from tests.integration.confirm.gate import Gate, gate
from tests.integration.conftest import PORT_OFFSET

LEASE_SECONDS = 4
PEERS = ("account-service", "risk-service", "otp-service", "partner-bank-api")
OTHERS = ("kyc-service", "ofac-service", "notification-service")


@dataclass(frozen=True)
class Customer:
    """A verified customer with one account."""

    id: str
    account: str
    phone: str


class System:
    """Calls confirm-service as the gateway would; reads the tables as the oracle."""

    def __init__(
        self,
        stack: Stack,
        http: httpx.AsyncClient,
        database: "asyncpg.Pool[asyncpg.Record]",
        gates: dict[str, Gate],
    ) -> None:
        self.stack = stack
        self.http = http
        self.database = database
        self.account = gates["account-service"]
        self.risk = gates["risk-service"]
        self.otp = gates["otp-service"]
        self.bank = gates["partner-bank-api"]
        self.gates = gates

    async def customer(self, balance: int = 0, *, currency: str = "USD", name: str | None = None) -> Customer:
        """A new customer; `balance` in minor units. A name can be one of the sanctions list."""
        token = secrets.token_hex(5).upper()
        phone = f"+1{secrets.randbelow(10**12):012d}"
        customer = Customer(f"cust-{token}", f"C{token}", phone)
        await self.database.execute(
            """INSERT INTO kyc.customers
                   (customer_id, name, email, phone, country, date_of_birth, status, level)
               VALUES ($1, $2, $3, $4, 'US', '1990-01-01', 'verified', 'full')""",
            customer.id,
            name or f"Testina {token.translate(str.maketrans('0123456789', 'GHJKLMNPQR'))}",
            f"{token}@example.com",
            phone,
        )
        await self.database.execute(
            "SELECT accounts.open_account($1, $2, $3, $4)", customer.account, customer.id, currency, balance
        )
        return customer

    async def post(
        self, path: str, body: Any = None, *, actor: str, role: str = "customer", key: str | None = ""
    ) -> httpx.Response:
        """POST for `actor`; a fresh key unless one is given, none when it is None."""
        headers = self._headers(actor, role)
        if key is not None:
            headers["Idempotency-Key"] = key or secrets.token_hex(16)
        content = body if isinstance(body, bytes) else None
        return await self.http.post(
            path, content=content, json=None if content is not None else (body or {}), headers=headers
        )

    async def get(self, path: str, *, actor: str, role: str = "customer", **query: Any) -> httpx.Response:
        """GET for `actor`."""
        return await self.http.get(path, params=query, headers=self._headers(actor, role))

    async def create(
        self, payer: Customer, payee: Customer | str, amount: int, *, currency: str = "USD", **more: Any
    ) -> dict[str, Any]:
        """A new payment, as its creation answers it."""
        body = {
            "amount": amount,
            "currency": currency,
            "from_account": payer.account,
            "to_account": payee if isinstance(payee, str) else payee.account,
        }
        response = await self.post("/v1/payments", body | more, actor=payer.id)
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    async def abroad(self, payer: Customer, amount: int) -> dict[str, Any]:
        """A new payment to another bank."""
        return await self.create(
            payer, "9876543210", amount, to_routing_number="021000021", to_name="Wilma Aldergrove"
        )

    async def confirm(
        self, payment: dict[str, Any], payer: Customer, *, key: str = "", otp: str | None = None
    ) -> httpx.Response:
        """POST /v1/payments/{id}/confirm."""
        body = {} if otp is None else {"otp": otp}
        return await self.post(f"/v1/payments/{payment['id']}/confirm", body, actor=payer.id, key=key)

    async def password(self, customer: Customer) -> str:
        """The newest one-time password that was sent to the customer."""
        url = self.stack.url("notification-service")
        reply = await self.http.get(f"{url}/sandbox/messages", params={"to": customer.phone})
        assert reply.status_code == 200, reply.text
        words = "".join(c if c.isdigit() else " " for c in reply.json()["messages"][0]["body"]).split()
        return next(word for word in words if len(word) == 6)

    async def balance(self, customer: Customer) -> tuple[int, int]:
        """Posted and held minor units, from the table."""
        row = await self.database.fetchrow(
            "SELECT posted_minor, held_minor FROM accounts.accounts WHERE account_number = $1",
            customer.account,
        )
        assert row is not None
        return row[0], row[1]

    async def status(self, payment: dict[str, Any]) -> str:
        """The payment's state, from the table."""
        found: str = await self.database.fetchval(
            "SELECT status FROM payments.payments WHERE id = $1", payment["id"]
        )
        return found

    async def until(self, payment: dict[str, Any], *wanted: str, seconds: float = 25) -> str:
        """Wait until the payment has one of these states."""
        end = time.monotonic() + seconds
        while (status := await self.status(payment)) not in wanted:
            assert time.monotonic() < end, f"still {status} after {seconds} s"
            await asyncio.sleep(0.1)
        return status

    async def postings(self, payment: dict[str, Any]) -> int:
        """How often the payment was posted."""
        found: int = await self.database.fetchval(
            "SELECT count(*) FROM accounts.transfers WHERE payment_id = $1 AND kind = 'payment'",
            payment["id"],
        )
        return found

    async def events(self, payment: dict[str, Any], topic: str = "payment-events") -> list[str]:
        """Types of the payment's outbox rows, in order."""
        rows = await self.database.fetch(
            "SELECT type FROM payments.outbox WHERE key = $1 AND topic = $2 ORDER BY id", payment["id"], topic
        )
        return [row[0] for row in rows]

    def restart(self) -> None:
        """Start confirm-service again after it was killed."""
        self.stack.start(["confirm-service"])

    def _headers(self, actor: str, role: str) -> dict[str, str]:
        identity = self.stack.identity
        token = identity.actor_token(actor if role == "customer" else "", user_id=actor, role=role)
        return {
            "Authorization": f"Bearer {identity.token('api-gateway')}",
            "X-Actor-Token": token,
            "Content-Type": "application/json",
        }


@pytest.fixture(scope="session")
async def running_system(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A stack of its own: impatient leases, and a gate before each peer of confirm-service."""
    folder: Path = tmp_path_factory.mktemp("confirm")
    own = Servers(servers.postgres, servers.redis, servers.kafka, f"{servers.database}_confirm")
    variables = {"LEASE_SECONDS": str(LEASE_SECONDS), "CLEANING_SECONDS": "2", "EXPIRE_SECONDS": "1"}
    # Cut off from Kafka: its consumers would share the groups, and the events, of other tests' services.
    variables["KAFKA_BOOTSTRAP_SERVERS"] = "127.0.0.1:1"
    stack = Stack(
        folder / "identity", own, offset=PORT_OFFSET + 200, log_folder=folder / "logs", variables=variables
    )
    stack.prepare()
    async with AsyncExitStack() as stacked:
        gates = {name: await stacked.enter_async_context(gate(stack.url(name))) for name in PEERS}
        variables |= {name.upper().replace("-", "_") + "_URL": made.url for name, made in gates.items()}
        stack.start([*PEERS, *OTHERS, "confirm-service"])
        stacked.callback(stack.stop)
        limits = httpx.Limits(max_connections=128)
        http = await stacked.enter_async_context(
            httpx.AsyncClient(base_url=stack.url("confirm-service"), timeout=40, limits=limits)
        )
        database = await stacked.enter_async_context(
            asyncpg.create_pool(stack.admin_dsn(), min_size=1, max_size=8)
        )
        yield System(stack, http, database, gates)


@pytest.fixture
async def system(running_system: System) -> AsyncIterator[System]:
    """The system, with every gate passing everything."""
    yield running_system
    for made in running_system.gates.values():
        made.heal()
        made.seen.clear()
