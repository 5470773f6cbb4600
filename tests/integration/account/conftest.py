"""The running ledger, its oracle, and fresh accounts for each test."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from hack.dev.identity import Identity
from hack.dev.stack import Stack

SERVICES = ("account-service", "partner-bank-api")


def unique(prefix: str) -> str:
    """An id that no other test uses."""
    return f"{prefix}-{secrets.token_hex(6)}"


@dataclass(frozen=True)
class Ledger:
    """Calls account-service as another service would; reads the tables as the oracle."""

    http: httpx.AsyncClient
    identity: Identity
    database: "asyncpg.Pool[asyncpg.Record]"

    async def open(self, opening: int = 0, *, customer: str | None = None, currency: str = "USD") -> str:
        """A new account of `customer` (by default cust-<number>)."""
        number = f"T{secrets.token_hex(6).upper()}"
        await self.database.execute(
            "SELECT accounts.open_account($1, $2, $3, $4)",
            number,
            customer or f"cust-{number}",
            currency,
            opening,
        )
        return number

    async def post(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        actor: str | None = None,
        role: str = "customer",
        caller: str = "confirm-service",
    ) -> httpx.Response:
        """POST as `caller`, on behalf of `actor` when given."""
        return await self.http.post(path, json=body or {}, headers=self._headers(actor, role, caller))

    async def get(
        self,
        path: str,
        *,
        actor: str | None = None,
        role: str = "customer",
        caller: str = "api-gateway",
        **query: str | int,
    ) -> httpx.Response:
        """GET as `caller`, on behalf of `actor` when given."""
        return await self.http.get(path, params=query, headers=self._headers(actor, role, caller))

    async def transfer(
        self, payer: str, payee: str, amount: int, *, payment: str | None = None, **more: Any
    ) -> httpx.Response:
        """POST /transfers as confirm-service itself; `more` are members of the body."""
        body = {
            "payment_id": payment or unique("pay"),
            "from_account": payer,
            "to_account": payee,
            "amount": amount,
            "currency": "USD",
        }
        return await self.post("/transfers", body | more)

    async def reserve(
        self, account: str, amount: int, fee: int = 250, *, payment: str, **more: Any
    ) -> httpx.Response:
        """POST /reserve-funds as confirm-service itself."""
        body = {
            "payment_id": payment,
            "account_number": account,
            "amount": amount,
            "fee": fee,
            "currency": "USD",
        }
        return await self.post("/reserve-funds", body | more)

    async def balance(self, number: str) -> tuple[int, int, int]:
        """posted, held, available of an account, from the database."""
        row = await self.database.fetchrow(
            """SELECT posted_minor, held_minor, available_minor FROM accounts.balances
               WHERE account_number = $1""",
            number,
        )
        assert row is not None
        return tuple(row)

    async def check(self) -> None:
        """The whole ledger is right: what must hold after anything."""
        wrong = await self.database.fetch(BOOKS_ARE_WRONG)
        assert wrong == []

    def _headers(self, actor: str | None, role: str, caller: str) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.identity.token(caller)}"}
        if actor is not None:
            headers["X-Actor-Token"] = self.identity.actor_token(actor, role=role)
        return headers


# Independent of the functions that write: from the entries alone.
BOOKS_ARE_WRONG = """
WITH balance AS (
    SELECT a.account_number, a.kind, a.held_minor,
           CASE a.kind WHEN 'customer' THEN a.posted_minor
                ELSE coalesce((SELECT sum(s.posted_minor) FROM accounts.shares s
                               WHERE s.account_number = a.account_number), 0) END AS posted_minor,
           a.available_minor,
           coalesce((SELECT sum(e.amount_minor) FROM accounts.entries e
                          WHERE e.account_number = a.account_number), 0) AS entered,
           coalesce((SELECT sum(h.amount_minor + h.fee_minor) FROM accounts.holds h
                     WHERE h.account_number = a.account_number AND h.status = 'held'), 0) AS reserved
    FROM accounts.accounts a)
SELECT 'sum of ' || currency AS what, sum(amount_minor)::text AS value FROM accounts.entries
    GROUP BY currency HAVING sum(amount_minor) <> 0
UNION ALL SELECT 'sum of transfer ' || transfer_id, sum(amount_minor)::text FROM accounts.entries
    GROUP BY transfer_id HAVING sum(amount_minor) <> 0 OR count(*) <> 2
UNION ALL SELECT 'transfer without entries ' || id, amount_minor::text FROM accounts.transfers t
    WHERE NOT EXISTS (SELECT FROM accounts.entries e WHERE e.transfer_id = t.id
                      AND e.account_number = t.to_account AND e.amount_minor = t.amount_minor)
UNION ALL SELECT 'currency of entry ' || e.id, e.currency FROM accounts.entries e
    JOIN accounts.accounts a USING (account_number) WHERE a.currency <> e.currency
UNION ALL SELECT 'posted of ' || account_number, posted_minor::text FROM balance WHERE posted_minor <> entered
UNION ALL SELECT 'held of ' || account_number, held_minor::text FROM balance WHERE held_minor <> reserved
UNION ALL SELECT 'negative ' || account_number, available_minor::text FROM balance
    WHERE kind = 'customer' AND (available_minor < 0 OR posted_minor < 0)
UNION ALL SELECT 'running balance at entry ' || id, balance_after_minor::text FROM (
    SELECT id, balance_after_minor,
           sum(amount_minor) OVER (PARTITION BY account_number ORDER BY id) AS running
    FROM accounts.entries) AS e WHERE running <> balance_after_minor
UNION ALL SELECT 'no balance at entry ' || id, account_number FROM accounts.entries
    WHERE balance_after_minor IS NULL AND account_number NOT LIKE 'internal.%'
UNION ALL SELECT 'hold resolved twice ' || key, string_agg(type, ', ') FROM accounts.outbox
    WHERE type IN ('hold.posted', 'hold.voided') GROUP BY key HAVING count(*) > 1
UNION ALL SELECT 'hold and posting disagree ' || h.payment_id, h.status FROM accounts.holds h
    WHERE (h.status = 'posted') <> EXISTS (SELECT FROM accounts.transfers t
                                           WHERE t.payment_id = h.payment_id AND t.kind = 'payment'
                                               AND t.to_account LIKE 'internal.%')
UNION ALL SELECT 'posted twice ' || payment_id, count(*)::text FROM accounts.transfers
    WHERE kind <> 'refund' GROUP BY payment_id, kind HAVING count(*) > 1
UNION ALL SELECT 'refunded too much ' || p.payment_id, sum(r.amount_minor)::text
    FROM accounts.transfers p JOIN accounts.transfers r ON r.payment_id = p.payment_id AND r.kind = 'refund'
    WHERE p.kind = 'payment' GROUP BY p.payment_id, p.amount_minor HAVING sum(r.amount_minor) > p.amount_minor
"""


@pytest.fixture(scope="session")
async def ledger(
    stack: Stack, identity: Identity, database: "asyncpg.Pool[asyncpg.Record]"
) -> AsyncIterator[Ledger]:
    """account-service, running, with the partner bank beside it."""
    stack.start(name for name in SERVICES if name not in stack.processes.names())
    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(base_url=stack.url("account-service"), timeout=30, limits=limits) as http:
        yield Ledger(http, identity, database)
