"""otp-service and what it stands on, running."""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from hack.dev.identity import Identity
from hack.dev.stack import Stack
from tests.support.internal_calls import Calls, Pool, ensure


@dataclass(frozen=True)
class Payment:
    """A payment that needs a code, of a customer of its own."""

    otp: Calls
    sandbox: Calls
    database: Pool
    customer_id: str
    payment_id: str = field(default_factory=lambda: f"pay-{secrets.token_hex(6)}")

    def bound(self, **changes: Any) -> dict[str, Any]:
        """What a code is bound to."""
        return {
            "payment_id": self.payment_id,
            "customer_id": self.customer_id,
            "amount": 1_200_000,
            "currency": "USD",
            "payee": "ACC002",
        } | changes

    async def generate(self, **more: Any) -> httpx.Response:
        """POST /generate-otp."""
        return await self.otp.post("/generate-otp", self.bound(**more))

    async def verify(self, code: str, **changes: Any) -> dict[str, Any]:
        """The answer of POST /verify-otp."""
        return await self.otp.answer("/verify-otp", self.bound(otp=code, **changes))

    async def codes(self) -> list[str]:
        """The codes that the customer got by SMS for any payment, the newest first."""
        response = await self.sandbox.http.get(
            self.sandbox.url("/sandbox/messages"), params={"to": self.customer_id}
        )
        messages = [m["body"] for m in response.json()["messages"] if m["channel"] == "push"]
        return [match.group() for body in messages if (match := re.search(r"\b\d{6}\b", body))]

    async def age(self, seconds: int) -> None:
        """Let time pass for the payment's codes."""
        await self.database.execute(
            "UPDATE otp.challenges SET created_at = created_at - $2 * interval '1 second',"
            " expires_at = expires_at - $2 * interval '1 second' WHERE payment_id = $1",
            self.payment_id,
            seconds,
        )

    async def events(self) -> list[str]:
        """Types of the payment's events, in order."""
        rows = await self.database.fetch(
            "SELECT type FROM otp.outbox WHERE key = $1 ORDER BY id", self.payment_id
        )
        return [row["type"] for row in rows]


@pytest.fixture
async def payment(
    stack: Stack, identity: Identity, client: httpx.AsyncClient, database: Pool
) -> AsyncIterator[Payment]:
    """A payment without a code yet."""
    ensure(stack, "kyc-service", "notification-service", "otp-service")
    customer_id = f"cust-{secrets.token_hex(6)}"
    await database.execute(
        "INSERT INTO kyc.customers (customer_id, name, email, phone, status)"
        " VALUES ($1, 'Ada Test', 'ada@example.com', '+15550100', 'verified')",
        customer_id,
    )
    otp = Calls(stack, identity, client, "otp-service", "confirm-service")
    yield Payment(otp, Calls(stack, identity, client, "notification-service", ""), database, customer_id)
