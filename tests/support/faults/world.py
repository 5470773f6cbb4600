"""A running platform as its customers and its superuser see it: customers who can pay, and the tables."""

import asyncio
import random
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import asyncpg

from tests.support.faults import zeros
from tests.support.faults.api import Api, Told
from tests.support.faults.load import Customer, Load, Outcome

HEALED_WITHIN = 60.0


@dataclass
class World:
    """Addresses of the API and, for the oracle, of PostgreSQL.

    Args:
        dsn: the superuser's own way, past any proxy.
        password_hash: of `password123`, for new users.
    """

    dsn: str = field(repr=False)
    url: str
    http: aiohttp.ClientSession
    told: Told
    password_hash: str = field(repr=False)

    async def sql(self, statement: str, *args: Any) -> list[asyncpg.Record]:
        """Rows by the superuser, on a connection of its own; waits while PostgreSQL restarts."""
        end = time.monotonic() + 60
        while True:
            try:
                connection = await asyncpg.connect(self.dsn, timeout=10)
                try:
                    return await connection.fetch(statement, *args)
                finally:
                    await connection.close()
            except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError):
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.2)

    async def customers(self, count: int, rng: random.Random, balance: int = 10**10) -> list[Customer]:
        """New verified customers with a user, an account and a session each; `balance` in cents."""
        run = secrets.token_hex(4)
        rows = await self.sql(
            """WITH fresh AS (SELECT 'f_' || $1 || '_' || n AS id, 'FLT' || upper($1) || n AS account,
                                     n FROM generate_series(1, $2::int) AS n),
               known AS (INSERT INTO kyc.customers (customer_id, name, email, phone, country, status, level)
                   SELECT id, 'Sample Customer ' || id, id || '@example.com',
                          '+1555' || lpad(n::text, 7, '0'), 'US', 'verified', 'full' FROM fresh),
               users AS (INSERT INTO gateway.users (user_id, username, customer_id, role, password_hash)
                   SELECT 'user_' || id, id, id, 'customer', $3 FROM fresh)
               SELECT id, account, accounts.open_account(account, id, 'USD', $4::bigint)::text FROM fresh""",
            run,
            count,
            self.password_hash,
            balance,
        )
        made = []
        for row in rows:
            api = Api(self.http, self.url, self.told, rng)
            await api.login(row["id"], "password123")
            made.append(Customer(row["id"], row["account"], api))
        return made

    async def load(self, rng: random.Random, customers: int = 12) -> Load:
        """Customers ready to pay."""
        return Load(await self.customers(customers, rng), rng, self.password)

    async def password(self, customer_id: str, amount: str) -> str | None:
        """The newest one-time password sent to this customer for this amount."""
        rows = await self.sql(
            """SELECT substring(body FROM '^([0-9]{6}) is your one-time password') AS code
               FROM notification.sandbox_messages
               WHERE customer_id = $1 AND type = 'OTP_REQUIRED' AND body LIKE '%pay ' || $2 || ' to%'
               ORDER BY id DESC LIMIT 1""",
            customer_id,
            amount,
        )
        return rows[0]["code"] if rows else None

    async def nothing_open(self, seconds: float = HEALED_WITHIN) -> float:
        """Wait until nothing is on its way any more; how long it took. AssertionError with what is."""
        return await self._until_empty(zeros.OPEN, seconds)

    async def everything_told(self, seconds: float = HEALED_WITHIN) -> float:
        """Wait until every event is published, recorded and told; how long it took."""
        return await self._until_empty(zeros.TRAIL, seconds)

    async def _until_empty(self, queries: dict[str, str], seconds: float) -> float:
        began = time.monotonic()
        while True:
            found = await self.violations(queries)
            taken = time.monotonic() - began
            if not found or taken > seconds:
                assert not found, f"still so after {taken:.0f} s: {found}"
                return taken
            await asyncio.sleep(0.5)

    async def violations(self, queries: dict[str, str]) -> dict[str, list[str]]:
        """What the queries find, ten of each at the most."""
        found = {}
        for name, query in queries.items():
            rows = await self.sql(query)
            if rows:
                found[name] = [f"{row[0]}: {row[1]}" for row in rows[:10]] + [f"({len(rows)} in all)"]
        return found

    async def ends(self, payments: list[str]) -> list[asyncpg.Record]:
        """id and status of payments, by their ids."""
        return await self.sql(
            "SELECT id, status FROM payments.payments WHERE id = ANY ($1) ORDER BY id", payments
        )

    async def every_end_is_true(self, outcomes: list[Outcome]) -> None:
        """What clients were told is what the table says, and all of them could pay in the end."""
        statuses = {
            row["id"]: row["status"] for row in await self.sql("SELECT id, status FROM payments.payments")
        }
        paid = [outcome for outcome in outcomes if outcome.status in ("succeeded", "refunded")]
        lies = [outcome for outcome in paid if statuses.get(outcome.payment_id) != "succeeded"]
        assert not lies, lies
        unpaid = [outcome for outcome in outcomes if outcome not in paid]
        assert not unpaid, unpaid[:10]
