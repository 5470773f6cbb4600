"""A hold past its time while nobody knows what the bank has done: it waits for the bank, and ends once."""

import asyncio
from typing import Any

from tests.integration.confirm.conftest import Customer, System


async def overdue(system: System, payer: Customer, *, bank_knows: bool) -> dict[str, Any]:
    """A payment to another bank whose outcome is unknown, and its hold made long overdue."""
    payment = await system.abroad(payer, 20_000)
    system.bank.fail("/transfers/", "refused_500", times=10_000)
    system.bank.fail("/cancel-transfer", "refused_500", times=10_000)
    system.bank.fail("/process-transfer", "500" if bank_knows else "refused_500", times=10_000)
    assert (await system.confirm(payment, payer)).status_code == 202
    await system.database.execute(
        "UPDATE accounts.holds SET expires_at = now() - interval '90 days' WHERE payment_id = $1",
        payment["id"],
    )
    for _ in range(10):  # the bank says nothing: whatever the clock says, the money stays held
        await asyncio.sleep(0.3)
        assert await hold(system, payment) == ("held", False)
        assert (await system.balance(payer))[1] == 20_250
    return payment


async def hold(system: System, payment: dict[str, Any]) -> tuple[str, bool]:
    row = await system.database.fetchrow(
        "SELECT status, expired FROM accounts.holds WHERE payment_id = $1", payment["id"]
    )
    assert row is not None
    return row[0], row[1]


def hear(system: System, path: str) -> None:
    """Let this route of the bank answer again."""
    system.bank.faults[:] = [fault for fault in system.bank.faults if fault.path != path]


async def test_what_the_bank_never_got_expires_and_the_payment_fails(system: System) -> None:
    payer = await system.customer(100_000)
    payment = await overdue(system, payer, bank_knows=False)
    hear(system, "/cancel-transfer")
    async with asyncio.timeout(40):
        while await hold(system, payment) != ("voided", True):
            await asyncio.sleep(0.1)
    assert await system.balance(payer) == (100_000, 0)
    assert await system.status(payment) == "processing"
    system.bank.heal()
    assert await system.until(payment, "succeeded", "failed") == "failed"
    shown = (await system.get(f"/v1/payments/{payment['id']}", actor=payer.id)).json()
    assert shown["failure"]["code"] == "bank_declined"
    assert await system.balance(payer) == (100_000, 0)
    assert await system.postings(payment) == 0


async def test_what_the_bank_has_paid_never_expires(system: System) -> None:
    payer = await system.customer(100_000)
    payment = await overdue(system, payer, bank_knows=True)
    hear(system, "/cancel-transfer")
    async with asyncio.timeout(40):
        while not await system.database.fetchval(
            "SELECT difference FROM accounts.holds WHERE payment_id = $1", payment["id"]
        ):
            await asyncio.sleep(0.1)
    assert await hold(system, payment) == ("held", False)
    assert await system.balance(payer) == (100_000, 20_250)
    system.bank.heal()
    assert await system.until(payment, "succeeded", "failed") == "succeeded"
    assert await hold(system, payment) == ("posted", False)
    assert await system.balance(payer) == (79_750, 0)
    assert await system.postings(payment) == 1
