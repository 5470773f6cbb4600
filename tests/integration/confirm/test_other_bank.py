"""Payments to another bank: hold, transfer, posting; what is not known is asked for, never guessed."""

import asyncio
import secrets

from tests.integration.confirm.conftest import System

FEE = 250


async def holds(system: System, payment_id: str) -> list[str]:
    rows = await system.database.fetch("SELECT status FROM accounts.holds WHERE payment_id = $1", payment_id)
    return [row[0] for row in rows]


async def orders(system: System, payment_id: str) -> int:
    """How many transfers the bank knows for the payment."""
    found: int = await system.database.fetchval(
        """SELECT count(*) FROM bank.transfers WHERE reference =
           (SELECT bank_reference FROM payments.payments WHERE id = $1)""",
        payment_id,
    )
    return found


async def test_a_completed_transfer_is_posted_with_its_fee(system: System) -> None:
    payer = await system.customer(100_000)
    payment = await system.abroad(payer, 20_000)
    assert payment["fee"] == FEE
    done = await system.confirm(payment, payer)
    assert (done.status_code, done.json()["status"]) == (200, "succeeded"), done.text
    assert await system.balance(payer) == (100_000 - 20_000 - FEE, 0)
    assert await holds(system, payment["id"]) == ["posted"]
    assert await orders(system, payment["id"]) == 1
    row = await system.database.fetchrow(
        "SELECT reference, bank_reference, bank_transfer FROM payments.payments WHERE id = $1", payment["id"]
    )
    assert row is not None and row[0] == row[1] and row[2].startswith("BNK")


async def test_a_declined_transfer_gives_the_money_back(system: System) -> None:
    payer = await system.customer(7_000_000)
    payment = await system.abroad(payer, 5_000_000)  # 50,000.00: over the bank's limit
    key = secrets.token_hex(8)
    assert (await system.confirm(payment, payer, key=key)).json()["status"] == "requires_action"
    password = await system.password(payer)
    declined = await system.confirm(payment, payer, key=key, otp=password)
    assert (declined.status_code, declined.json()["code"]) == (402, "bank_declined"), declined.text
    assert declined.json()["bank_error_code"] == "AMOUNT_EXCEEDS_LIMIT"
    assert (await system.confirm(payment, payer, key=key)).content == declined.content
    assert await system.status(payment) == "failed"
    assert await holds(system, payment["id"]) == ["voided"]
    assert await system.balance(payer) == (7_000_000, 0)
    assert await system.events(payment, "notification-events") == ["payment.failed"]


async def test_without_money_nothing_is_sent_to_the_bank(system: System) -> None:
    payer = await system.customer(20_000)  # enough for the amount, not for the fee
    payment = await system.abroad(payer, 20_000)
    poor = await system.confirm(payment, payer)
    assert (poor.status_code, poor.json()["code"]) == (402, "insufficient_funds")
    assert await system.status(payment) == "requires_confirmation"
    assert await orders(system, payment["id"]) == 0
    assert await system.balance(payer) == (20_000, 0)


async def test_unknown_outcomes_are_settled_by_asking(system: System) -> None:
    """The request or the answer is lost, or the bank fails before or after it has booked."""
    for how in ("lost", "answer_lost", "500", "refused_500"):
        payer = await system.customer(100_000)
        payment = await system.abroad(payer, 20_000)
        key = secrets.token_hex(8)
        system.bank.fail(
            "/process-transfer", how, times=2
        )  # the client itself tries a broken connection twice
        unknown = await system.confirm(payment, payer, key=key)
        assert (unknown.status_code, unknown.json()["status"]) == (202, "processing"), (how, unknown.text)
        assert unknown.headers["location"] == f"/v1/payments/{payment['id']}"
        assert await system.until(payment, "succeeded", "failed") == "succeeded", how
        assert await orders(system, payment["id"]) == 1, how
        assert await system.balance(payer) == (79_750, 0), how
        settled = await system.confirm(payment, payer, key=key)
        assert (settled.status_code, settled.json()["status"]) == (200, "succeeded"), how
        assert await system.postings(payment) == 1
        system.bank.heal()


async def test_the_hold_stays_while_the_bank_is_silent(system: System) -> None:
    payer = await system.customer(100_000)
    payment = await system.abroad(payer, 20_000)
    key = secrets.token_hex(8)
    system.bank.fail("/", "refused_500", times=10_000)
    assert (await system.confirm(payment, payer, key=key)).status_code == 202
    for _ in range(20):
        await asyncio.sleep(0.3)
        assert await holds(system, payment["id"]) == ["held"]
        assert await system.status(payment) == "processing"
    waiting = await system.confirm(payment, payer, key=key)
    assert waiting.status_code in (202, 409)
    canceled = await system.post(f"/v1/payments/{payment['id']}/cancel", actor=payer.id)
    assert canceled.status_code == 409
    system.bank.heal()
    assert await system.until(payment, "succeeded", "failed") == "succeeded"
    assert await system.balance(payer) == (79_750, 0)
    assert await orders(system, payment["id"]) == 1


async def test_an_answer_of_the_ledger_that_is_lost_is_asked_again(system: System) -> None:
    for path in ("/reserve-funds", "/holds/"):
        payer = await system.customer(100_000)
        payment = await system.abroad(payer, 20_000)
        system.account.fail(path, "answer_lost", times=2)
        assert (await system.confirm(payment, payer)).status_code == 202, path
        assert await system.until(payment, "succeeded", "failed") == "succeeded", path
        assert await system.balance(payer) == (79_750, 0)
        assert await orders(system, payment["id"]) == 1
