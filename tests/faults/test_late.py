"""A statement that reaches the ledger after everybody has given it up must not move money any more.

The network keeps the ledger's connections half-open: what was sent on them arrives when it heals, while new
connections work. Meanwhile the payment has come to another end.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.faults.conftest import SEED
from tests.support.faults.load import Customer
from tests.support.faults.sizes import rng
from tests.support.faults.system import Platform
from tests.support.faults.toxic import Toxic
from tests.support.internal_calls import eventually

GIVEN_UP_AFTER = 8.0  # seconds; a statement is waited for 5


@asynccontextmanager
async def a_line_of_its_own(system: Platform, service: str) -> AsyncIterator[Toxic]:
    """The service, started again behind a proxy that only it uses to reach PostgreSQL."""
    line = Toxic(system.proxies["postgres"].target, rng("line", SEED))
    await line.open()
    try:
        await system.kill(service)
        await system.start([service], DATABASE_PORT=str(line.port))
        yield line
    finally:
        await line.set("pass")
        await system.kill(service)
        await system.start([service])
        await line.close()


async def held(line: Toxic, count: int) -> bool:
    """True when so many connections hold something back."""
    return line.held >= count


@pytest.mark.timeout(0)
async def test_a_late_statement_moves_nothing(system: Platform, report: dict[str, Any]) -> None:
    dice = rng("late", SEED)
    *payers, payee = await system.customers(4, dice)

    async def create(payer: Customer) -> str:
        body = {"amount": 500, "currency": "USD", "from_account": payer.account, "to_account": payee.account}
        return str((await payer.api.until_final("/v1/payments", body)).body["id"])

    async with a_line_of_its_own(system, "account-service") as line:
        # A statement that a connection knows is sent in one piece; otherwise the server is asked first.
        for _ in range(4):
            known = [(payer, await create(payer)) for payer in payers]
            await asyncio.gather(
                *(payer.api.until_final(f"/v1/payments/{payment}/confirm") for payer, payment in known)
            )
        payments = [await create(payer) for payer in payers]
        await line.set("stuck")
        sent = time.monotonic()
        confirming = [
            asyncio.create_task(payer.api.post(f"/v1/payments/{payment}/confirm"))
            for payer, payment in zip(payers, payments, strict=True)
        ]
        await eventually("statements are under way", lambda: held(line, 1))
        # Whoever looks after these payments from now on finds a reason to end them otherwise.
        await system.sql(
            "UPDATE kyc.customers SET status = 'pending' WHERE customer_id = ANY ($1)",
            [payer.id for payer in payers],
        )
        answers = await asyncio.gather(*confirming)
        await system.nothing_open()
        ends = [row["status"] for row in await system.ends(payments)]
        held_back = line.held
        await asyncio.sleep(max(0.0, GIVEN_UP_AFTER - (time.monotonic() - sent)))
        await line.set("pass")
        await asyncio.sleep(1)
    report |= {"answers": [answer.status for answer in answers], "ends": ends, "statements_late": held_back}
    report |= await system.zeros()
    assert held_back >= 1, "nothing was late"
    assert [row["status"] for row in await system.ends(payments)] == ends
