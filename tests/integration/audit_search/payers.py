"""Customers who pay each other, of every ending that a payment can have."""

import asyncio
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from hack.dev.stack import Stack
from tests.support.internal_calls import Pool


@dataclass
class Payers:
    """Calls confirm-service as the gateway does; notes endings and how long the answers took."""

    stack: Stack
    http: httpx.AsyncClient
    customers: list[tuple[str, str]] = field(default_factory=list)
    endings: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)

    async def open(self, database: Pool, count: int) -> None:
        """New verified customers with an account each."""
        for _ in range(count):
            token = secrets.token_hex(5)
            customer, account = f"cust-{token}", f"S{token.upper()}"
            await database.execute(
                """INSERT INTO kyc.customers
                       (customer_id, name, email, phone, country, date_of_birth, status, level)
                   VALUES ($1, 'Testina Grundle', $1 || '@example.com', '+15550177', 'US', '1990-01-01',
                           'verified', 'full')""",
                customer,
            )
            await database.execute("SELECT accounts.open_account($1, $2, 'USD', 3000000)", account, customer)
            self.customers.append((customer, account))

    async def pay(self, number: int, **order: Any) -> str:
        """A payment on its way to an ending that follows from its number; returns its id."""
        customer, account = self.customers[number % len(self.customers)]
        payee = self.customers[(number + 1) % len(self.customers)][1]
        body = {"amount": 100 + number, "currency": "USD", "from_account": account, "to_account": payee}
        began = time.monotonic()
        payment = await self.post("/v1/payments", body | order, customer)
        action = "cancel" if number % 7 == 3 else "confirm"
        done = await self.post(f"/v1/payments/{payment['id']}/{action}", {}, customer)
        self.seconds.append(time.monotonic() - began)
        self.endings[str(done["status"])] += 1
        self.finished.append(str(payment["id"]))
        return str(payment["id"])

    async def keep_paying(self, until: asyncio.Event, pause: float = 0.05) -> None:
        """One payment after the other."""
        number = 0
        while not until.is_set():
            await self.pay(number)
            number += 1
            await asyncio.sleep(pause)

    async def post(self, path: str, body: Any, customer: str) -> dict[str, Any]:
        """The answer to a POST with a new key, which must be a good one."""
        identity = self.stack.identity
        headers = {
            "Authorization": f"Bearer {identity.token('api-gateway')}",
            "X-Actor-Token": identity.actor_token(customer),
            "Idempotency-Key": secrets.token_hex(16),
        }
        response = await self.http.post(path, json=body, headers=headers)
        assert response.is_success, response.text
        answer: dict[str, Any] = response.json()
        return answer
