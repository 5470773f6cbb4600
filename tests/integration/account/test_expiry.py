"""Holds past their time: released only when the bank says that nothing was and will be carried out."""

import asyncio

import httpx

from hack.dev.identity import Identity
from hack.dev.stack import Stack

from .conftest import Ledger, unique
from .test_reconciliation import order


async def test_a_hold_expires_only_by_the_word_of_the_bank(
    stack: Stack, identity: Identity, ledger: Ledger
) -> None:
    """One hold for each thing that the bank may know of its order; all are long past their time."""
    payer = await ledger.open(10_000_000)
    never, rejected, paid, in_time = (unique("pay") for _ in range(4))
    nameless = unique("pay")
    await order(stack, identity, ledger, rejected, 50_000_00)
    await order(stack, identity, ledger, paid, 1_000)
    for payment in (never, rejected, paid, in_time):
        held = await ledger.reserve(payer, 1_000, 250, payment=payment, bank_reference=payment)
        assert held.status_code == 200, held.text
    await ledger.reserve(payer, 1_000, 250, payment=nameless)

    # The bank is silent at first: whatever the clock says, nothing is released.
    stack.processes.kill("partner-bank-api")
    try:
        await ledger.database.execute(
            """UPDATE accounts.holds SET expires_at = now() - interval '90 days'
               WHERE account_number = $1 AND payment_id <> $2""",
            payer,
            in_time,
        )
        stack.processes.kill("account-service")
        stack.start_one("account-service")  # looks at once
        await ready(ledger)
        await asyncio.sleep(2)
        assert await ledger.balance(payer) == (10_000_000, 5 * 1_250, 10_000_000 - 5 * 1_250)
    finally:
        stack.start(["partner-bank-api"])

    async with asyncio.timeout(30):
        while (await ledger.balance(payer))[1] != 3 * 1_250 or await difference(ledger, paid) is None:
            await asyncio.sleep(0.1)
    rows = await ledger.database.fetch(
        "SELECT payment_id, status, expired FROM accounts.holds WHERE account_number = $1", payer
    )
    assert {row["payment_id"]: (row["status"], row["expired"]) for row in rows} == {
        never: ("voided", True),
        rejected: ("voided", True),
        paid: ("held", False),
        in_time: ("held", False),
        nameless: ("held", False),
    }
    assert await difference(ledger, paid) == "overdue, and the bank says COMPLETED"
    events = await ledger.database.fetch(
        "SELECT payload->>'expired' FROM accounts.outbox WHERE key = $1 AND type = 'hold.voided'", never
    )
    assert [row[0] for row in events] == ["true"]

    # The order that was never sent comes late: the bank takes it no more, the money stays where it is.
    late = await ledger.http.post(
        f"{stack.url('partner-bank-api')}/process-transfer",
        json={
            "reference": never,
            "from_account": payer,
            "to_account": "DE1",
            "routing_number": "1",
            "amount": 1_000,
            "currency": "USD",
        },
        headers={"Authorization": f"Bearer {identity.token('confirm-service')}"},
    )
    assert (late.json()["status"], late.json()["error_code"]) == ("REJECTED", "CANCELED")
    assert (await ledger.post(f"/holds/{never}/post", {"bank_reference": never})).status_code == 409
    assert (await ledger.post(f"/holds/{never}/void")).json()["status"] == "voided"
    # What the bank has paid is posted, however late.
    assert (await ledger.post(f"/holds/{paid}/post", {"bank_reference": paid})).status_code == 200
    assert await ledger.balance(payer) == (10_000_000 - 1_250, 2 * 1_250, 10_000_000 - 3 * 1_250)
    await ledger.check()


async def ready(ledger: Ledger) -> None:
    """Wait for account-service; unlike the stack's own wait, the bank may be down meanwhile."""
    async with asyncio.timeout(60):
        while True:
            try:
                if (await ledger.http.get("/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)


async def difference(ledger: Ledger, payment: str) -> str | None:
    """What the ledger has noted beside the hold."""
    found: str | None = await ledger.database.fetchval(
        "SELECT difference FROM accounts.holds WHERE payment_id = $1", payment
    )
    return found


async def test_a_hold_is_posted_under_the_reference_it_was_made_with(ledger: Ledger) -> None:
    payer = await ledger.open(1_000)
    payment = unique("pay")
    await ledger.reserve(payer, 100, payment=payment, bank_reference="REF-1")
    again = await ledger.reserve(payer, 100, payment=payment, bank_reference="REF-2")
    assert (again.status_code, again.json()["code"]) == (422, "payment_mismatch")
    other = await ledger.post(f"/holds/{payment}/post", {"bank_reference": "REF-2"})
    assert (other.status_code, other.json()["code"]) == (422, "payment_mismatch")
    assert (await ledger.post(f"/holds/{payment}/post", {"bank_reference": "REF-1"})).status_code == 200
