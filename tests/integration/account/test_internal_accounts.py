"""Settlement and fees: exact balances, and no row that payments of different customers wait for."""

import asyncio

import asyncpg
import pytest

from hack.dev.stack import Stack

from .conftest import Ledger, unique

SHARES = 64


async def held(ledger: Ledger, currency: str = "USD") -> str:
    """A payment whose funds are held on an account of its own."""
    payer, payment = await ledger.open(1_000, currency=currency), unique("pay")
    answer = await ledger.reserve(payer, 700, 30, payment=payment, currency=currency)
    assert answer.status_code == 200
    return payment


async def test_postings_of_different_customers_do_not_wait_for_each_other(
    stack: Stack, ledger: Ledger
) -> None:
    """One session has posted and not committed yet; all others post and commit meanwhile."""
    first = await held(ledger)
    others = [await held(ledger) for _ in range(5)]
    async with asyncpg.create_pool(stack.admin_dsn(), min_size=6, max_size=6) as pool:
        async with pool.acquire() as waiting:
            transaction = waiting.transaction()
            await transaction.start()
            await waiting.execute("SELECT accounts.post_hold($1, 'B', NULL)", first)
            mine = await waiting.fetchval("SELECT pg_backend_pid()") % SHARES
            posted = 0
            for payment in others:
                async with pool.acquire() as connection, connection.transaction():
                    # Sessions of one share do wait; with 64 of them that is rare.
                    if await connection.fetchval("SELECT pg_backend_pid()") % SHARES == mine:
                        continue
                    await connection.execute("SET LOCAL lock_timeout = '2s'")
                    await connection.execute("SELECT accounts.post_hold($1, 'B', NULL)", payment)
                    posted += 1
            await transaction.commit()
    assert posted >= 1
    await ledger.check()


async def test_staff_see_balance_and_running_balance(ledger: Ledger) -> None:
    payments = [await held(ledger, "KWD") for _ in range(8)]
    await asyncio.gather(
        *(ledger.post(f"/holds/{payment}/post", {"bank_reference": "B"}) for payment in payments)
    )
    path = "/v1/accounts/internal.settlement.KWD"
    told = (await ledger.get(path, actor="ana", role="auditor")).json()["balance"]
    exact = await ledger.database.fetchval(
        "SELECT sum(amount_minor)::bigint FROM accounts.entries WHERE account_number = $1",
        "internal.settlement.KWD",
    )
    assert told == {"posted": exact, "held": 0, "available": exact}
    newest = (await ledger.get(f"{path}/entries", actor="ana", role="auditor", limit=5)).json()["data"]
    older = await ledger.get(
        f"{path}/entries", actor="ana", role="auditor", limit=3, starting_after=newest[-1]["id"]
    )
    running = exact
    for entry in newest + older.json()["data"]:
        assert entry["balance_after"] == running
        running -= entry["amount"]
    statement = (await ledger.get(f"{path}/statements", actor="ana", role="auditor")).json()
    assert statement["closing_balance"]["amount"] == exact


@pytest.mark.parametrize("number", ["internal.settlement.USD", "internal.fees.USD", "internal.opening.USD"])
async def test_an_internal_balance_stands_in_no_row(ledger: Ledger, number: str) -> None:
    await ledger.open(100)
    posted = await ledger.database.fetchval(
        "SELECT posted_minor FROM accounts.accounts WHERE account_number = $1", number
    )
    assert posted is None
    with pytest.raises(asyncpg.CheckViolationError):
        await ledger.database.execute(
            "UPDATE accounts.accounts SET posted_minor = 0 WHERE account_number = $1", number
        )
