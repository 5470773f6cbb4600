"""The running partner bank and its book."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from hack.dev.identity import Identity
from hack.dev.stack import Stack


@dataclass(frozen=True)
class Bank:
    """Calls partner-bank-api as confirm-service would; reads its book as the oracle."""

    http: httpx.AsyncClient
    identity: Identity
    database: "asyncpg.Pool[asyncpg.Record]"

    async def order(
        self, amount: int = 1_000, *, reference: str, fault: str | None = None, **more: Any
    ) -> httpx.Response:
        """POST /process-transfer; `more` are members of the body."""
        body = {
            "reference": reference,
            "from_account": "ACC001",
            "to_account": "DE89370400440532013000",
            "to_name": "Jürgen Müller",
            "routing_number": "021000021",
            "amount": amount,
            "currency": "USD",
        }
        headers = self.headers() | ({"X-Sandbox-Fault": fault} if fault else {})
        return await self.http.post("/process-transfer", json=body | more, headers=headers)

    async def give_back(
        self, amount: int = 400, *, reference: str, original: str, fault: str | None = None, **more: Any
    ) -> httpx.Response:
        """POST /process-return; `more` are members of the body."""
        body = {"reference": reference, "original_reference": original, "amount": amount, "currency": "USD"}
        headers = self.headers() | ({"X-Sandbox-Fault": fault} if fault else {})
        return await self.http.post("/process-return", json=body | more, headers=headers)

    async def returned(self, original: str) -> int:
        """The sum of all accepted returns of an order, from the book."""
        found = await self.database.fetchval(
            """SELECT coalesce(sum(amount_minor), 0) FROM bank.returns
               WHERE original_reference = $1 AND error_code IS NULL""",
            original,
        )
        return int(found)

    async def cancel(self, reference: str) -> httpx.Response:
        """POST /cancel-transfer."""
        return await self.http.post("/cancel-transfer", json={"reference": reference}, headers=self.headers())

    async def return_status(self, reference: str) -> httpx.Response:
        """GET /returns/{reference}."""
        return await self.http.get(f"/returns/{reference}", headers=self.headers())

    async def status(self, reference: str) -> httpx.Response:
        """GET /transfers/{reference}."""
        return await self.http.get(f"/transfers/{reference}", headers=self.headers())

    async def booked(self, reference: str) -> int:
        """How many entries the book has for the reference."""
        count = await self.database.fetchval(
            "SELECT count(*) FROM bank.transfers WHERE reference = $1", reference
        )
        return int(count)

    def headers(self) -> dict[str, str]:
        """Who calls."""
        return {"Authorization": f"Bearer {self.identity.token('confirm-service')}"}


@pytest.fixture(scope="session")
async def bank(
    stack: Stack, identity: Identity, database: "asyncpg.Pool[asyncpg.Record]"
) -> AsyncIterator[Bank]:
    """partner-bank-api, running."""
    if "partner-bank-api" not in stack.processes.names():
        stack.start(["partner-bank-api"])
    async with httpx.AsyncClient(base_url=stack.url("partner-bank-api"), timeout=30) as http:
        yield Bank(http, identity, database)


@pytest.fixture
def reference() -> str:
    """A reference that no other test uses."""
    return f"REF-{secrets.token_hex(8)}"
