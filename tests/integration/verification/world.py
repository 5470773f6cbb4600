"""A platform of its own with real payments, stopped afterwards; tests damage copies of its database."""

import asyncio
import json
import os
import random
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import psycopg
from psycopg import sql

from hack.dev.catalog import python
from hack.dev.stack import Stack, verification_environment

SERVICES = [
    "account-service",
    "audit-service",
    "confirm-service",
    "kyc-service",
    "ofac-service",
    "partner-bank-api",
    "risk-service",
]
CUSTOMERS, ON_US, OFF_US, REFUNDS = 40, 45, 45, 12
SETTLED = """
SELECT (SELECT count(*) FROM payments.payments WHERE status = 'processing')
     + (SELECT count(*) FROM payments.refunds WHERE status = 'pending')
     + (SELECT count(*) FROM payments.outbox WHERE published_at IS NULL)
     + (SELECT count(*) FROM accounts.outbox WHERE published_at IS NULL)
     + (SELECT count(*) FROM kyc.outbox WHERE published_at IS NULL)
     + (SELECT count(*) FROM ofac.outbox WHERE published_at IS NULL)
     + (SELECT count(*) FROM (SELECT event_id FROM payments.outbox WHERE topic = 'payment-events'
                              UNION ALL SELECT event_id FROM accounts.outbox
                              UNION ALL SELECT event_id FROM kyc.outbox
                              UNION ALL SELECT event_id FROM ofac.outbox) AS told
        WHERE NOT EXISTS (SELECT FROM audit.events AS e WHERE e.event_id = told.event_id))"""

Row = tuple[Any, ...]


@dataclass
class World:
    """The stopped platform and what was done on it."""

    stack: Stack
    seed: int
    statuses: dict[str, int] = field(default_factory=dict)

    def connect(self, database: str | None = None) -> "psycopg.Connection[Row]":
        """As superuser."""
        return psycopg.connect(self.stack.admin_dsn(database), autocommit=True)

    @contextmanager
    def copy(self) -> Iterator[tuple[str, "psycopg.Connection[Row]"]]:
        """A copy of the database: its name, and a connection without triggers and foreign keys."""
        name = f"{self.stack.servers.database}_{secrets.token_hex(3)}"
        made, origin = sql.Identifier(name), sql.Identifier(self.stack.servers.database)
        with self.connect("postgres") as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(made, origin))
            try:
                with self.connect(name) as connection:
                    connection.execute("SET session_replication_role = replica")
                    yield name, connection
            finally:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(made))

    def verify(
        self, database: str, *arguments: str, module: str = "payments.verification", kafka: str | None = None
    ) -> "Answer":
        """The command as a process of its own, as the Job runs it."""
        variables = verification_environment(replace(self.stack.servers, database=database))
        variables["PATH"] = os.environ.get("PATH", "")
        if kafka is not None:
            variables["KAFKA_BOOTSTRAP_SERVERS"] = kafka
        command = [python(), "-m", module, *arguments]
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=600, check=False
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def found(self, database: str, command: str, *arguments: str) -> set[tuple[str, str]]:
        """(kind, id) of all that a command finds without a grace period."""
        answer = self.verify(database, command, "--grace", "0", "--format", "json", *arguments)
        assert answer.code in (0, 1), answer.errors
        found = {(m["kind"], m["id"]) for check in answer.report["checks"] for m in check["mismatches"]}
        assert answer.code == (1 if found else 0)
        return found


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    output: str
    errors: str

    @property
    def report(self) -> dict[str, Any]:
        """Its JSON."""
        report: dict[str, Any] = json.loads(self.output)
        return report


async def make_payments(world: World) -> None:
    """Payments of every ending, by many customers at once; returns when all is settled and recorded."""
    stack, dice = world.stack, random.Random(world.seed)
    customers = [
        _Customer(f"cust-{n:03d}-{secrets.token_hex(3)}", f"V{secrets.token_hex(5).upper()}")
        for n in range(CUSTOMERS)
    ]
    with world.connect() as admin:
        for customer in customers:
            admin.execute(
                "INSERT INTO kyc.customers"
                " (customer_id, name, email, phone, country, date_of_birth, status, level)"
                " VALUES (%s, 'Testina Grundle', %s, '+15550100', 'US', '1990-01-01', 'verified', 'full')",
                [customer.id, f"{customer.account}@example.com"],
            )
            admin.execute(
                "SELECT accounts.open_account(%s, %s, 'USD', 100000)", [customer.account, customer.id]
            )
    async with httpx.AsyncClient(base_url=stack.url("confirm-service"), timeout=40) as http:
        driver = _Driver(stack, http)
        gate = asyncio.Semaphore(8)

        async def one(number: int) -> str:
            async with gate:
                payer = customers[number % CUSTOMERS]
                payee = customers[(number + 7) % CUSTOMERS]
                # A few want more than they have; a few are never confirmed, or canceled.
                amount = dice.randrange(100, 9_000) if number % 11 else 900_000
                return await driver.pay(number, payer, payee.account, amount, abroad=number >= ON_US)

        done = await asyncio.gather(*(one(number) for number in range(ON_US + OFF_US)))
        for numbers in (range(ON_US), range(ON_US, ON_US + OFF_US)):
            refundable = [number for number in numbers if done[number] == "succeeded"][:REFUNDS]
            await asyncio.gather(*(driver.refund(number, dice.randrange(10, 90)) for number in refundable))
    world.statuses = {status: done.count(status) for status in set(done)}
    end = time.monotonic() + 60
    with world.connect() as admin:
        while (left := admin.execute(SETTLED).fetchone()) != (0,):
            assert time.monotonic() < end, f"{left} things are still on their way"
            await asyncio.sleep(0.2)


@dataclass(frozen=True)
class _Customer:
    id: str
    account: str


class _Driver:
    """Calls confirm-service as the gateway does."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient) -> None:
        self._stack = stack
        self._http = http
        self._made: dict[int, tuple[str, _Customer]] = {}

    async def pay(self, number: int, payer: _Customer, payee: str, amount: int, *, abroad: bool) -> str:
        """Create a payment and mostly confirm it; returns its state."""
        body = {"amount": amount, "currency": "USD", "from_account": payer.account, "to_account": payee}
        if abroad:
            body |= {
                "to_account": "9876543210",
                "to_routing_number": "021000021",
                "to_name": "Wilma Aldergrove",
            }
        payment = (await self._post("/v1/payments", body, payer)).json()
        self._made[number] = payment["id"], payer
        if number % 17 == 3:
            return str(payment["status"])
        action = "cancel" if number % 17 == 4 else "confirm"
        answer = (await self._post(f"/v1/payments/{payment['id']}/{action}", {}, payer)).json()
        return str(answer["status"] if isinstance(answer["status"], str) else answer["code"])

    async def refund(self, number: int, amount: int) -> None:
        """Refund a part of a payment."""
        payment, payer = self._made[number]
        answer = await self._post(f"/v1/payments/{payment}/refunds", {"amount": amount}, payer)
        assert answer.status_code == 201, answer.text

    async def _post(self, path: str, body: Any, actor: _Customer) -> httpx.Response:
        identity = self._stack.identity
        headers = {
            "Authorization": f"Bearer {identity.token('api-gateway')}",
            "X-Actor-Token": identity.actor_token(actor.id),
            "Idempotency-Key": secrets.token_hex(16),
        }
        return await self._http.post(path, json=body, headers=headers)
