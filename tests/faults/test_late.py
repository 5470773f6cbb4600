"""A statement that reaches the ledger after everybody has given it up must not move money any more.

The network keeps the ledger's connections half-open: what was sent on them arrives when it heals, while new
connections work. Meanwhile the payment has come to another end.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.faults.conftest import SEED
from tests.support.faults.load import BANK
from tests.support.faults.sizes import rng
from tests.support.faults.system import Platform
from tests.support.faults.toxic import Toxic


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


@pytest.mark.timeout(0)
async def test_a_late_statement_moves_nothing(system: Platform, report: dict[str, Any]) -> None:
    dice = rng("late", SEED)
    payers = await system.customers(4, dice)
    (payee,) = await system.customers(1, dice)
    bodies = [
        {"amount": 500, "currency": "USD", "from_account": payer.account}
        | (BANK if n % 2 else {"to_account": payee.account})
        for n, payer in enumerate(payers)
    ]
    async with a_line_of_its_own(system, "account-service") as line:
        payments = [
            (await payer.api.until_final("/v1/payments", body)).body["id"]
            for payer, body in zip(payers, bodies, strict=True)
        ]
        await line.set("stuck")
        answers = await asyncio.gather(
            *(
                payer.api.post(f"/v1/payments/{payment}/confirm")
                for payer, payment in zip(payers, payments, strict=True)
            )
        )
        # Whoever looks after these payments now finds a reason to end them otherwise.
        await system.sql(
            "UPDATE kyc.customers SET status = 'pending' WHERE customer_id = ANY ($1)",
            [payer.id for payer in payers],
        )
        await system.nothing_open()
        ends = [row["status"] for row in await system.ends(payments)]
        held_back = line.held
        await line.set("pass")
        await asyncio.sleep(1)
    report |= {"answers": [answer.status for answer in answers], "ends": ends, "statements_late": held_back}
    report |= await system.zeros()
    assert held_back >= 2, "nothing was late"
    assert [row["status"] for row in await system.ends(payments)] == ends
