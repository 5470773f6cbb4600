"""SIGKILL at each boundary: nothing is lost, nothing happens twice, every payment comes to an end."""

import asyncio
import json
import secrets
from typing import Any

import httpx
import pytest

from tests.integration.confirm.conftest import Customer, System
from tests.integration.confirm.gate import Gate
from tests.support.internal_calls import eventually


async def kill_while(
    system: System, gate: Gate, path: str, how: str, payment: dict[str, Any], payer: Customer, **more: str
) -> None:
    """Confirm, and kill confirm-service while `path` is held at `gate`; then start it again."""
    gate.fail(path, how)
    confirming = asyncio.create_task(system.confirm(payment, payer, **more))
    await asyncio.wait_for(gate.reached.wait(), 15)
    system.stack.processes.kill("confirm-service")
    gate.heal()
    with pytest.raises(httpx.TransportError):
        await confirming
    await asyncio.to_thread(system.restart)


@pytest.mark.parametrize(
    ("peer", "path", "how"),
    [
        ("risk", "/assess-risk", "held"),  # between A and the checks
        ("account", "/transfers", "held_before"),  # between the checks and B
        ("account", "/transfers", "held"),  # between B and C
    ],
)
async def test_a_killed_confirmation_is_finished(system: System, peer: str, path: str, how: str) -> None:
    payer, payee = await system.customer(10_000), await system.customer()
    payment = await system.create(payer, payee, 500)
    key = secrets.token_hex(8)
    await kill_while(system, getattr(system, peer), path, how, payment, payer, key=key)
    assert await system.status(payment) == "processing"
    in_flight = await system.confirm(payment, payer, key=key)
    assert in_flight.status_code in (200, 202, 409)
    assert await system.until(payment, "succeeded", "failed", "requires_confirmation") == "succeeded"
    assert await system.postings(payment) == 1
    assert await system.balance(payer) == (9_500, 0)
    kept = await system.confirm(payment, payer, key=key)
    assert (kept.status_code, kept.json()["status"]) == (200, "succeeded")
    assert (await system.events(payment)).count("payment.succeeded") == 1
    query = "SELECT assessment::text FROM payments.payments WHERE id = $1"
    assessment = json.loads(await system.database.fetchval(query, payment["id"]))
    assert (assessment["decision"], assessment["facts"]["new_payee"]) == ("allow", True)
    # After the posting it was made again, since the first one was lost with its attempt.
    assert assessment.get("after_posting", False) == (path == "/transfers" and how == "held")
    assert kept.json()["risk"] == {"level": "LOW", "score": 0, "reasons": []}


async def test_a_payment_of_unknown_outcome_is_told_once(system: System) -> None:
    payer = await system.customer(100_000)
    payment = await system.abroad(payer, 20_000)
    system.bank.fail("/", "refused_500", times=10_000)
    assert (await system.confirm(payment, payer)).status_code == 202
    await system.database.execute(
        "UPDATE payments.payments SET processing_since = now() - interval '10 minutes' WHERE id = $1",
        payment["id"],
    )

    async def measured() -> tuple[float, float]:
        text = (await system.http.get("/metrics")).text
        found = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        oldest = "payments_unknown_outcome_oldest_age_seconds"
        return float(found["payments_stuck"]), float(found[oldest])

    async def told() -> bool:
        stuck, oldest = await measured()
        return stuck >= 1 and oldest >= 600 and "payment.stuck" in await system.events(payment)

    await eventually("the payment is told to be stuck", told, seconds=20)
    assert await system.status(payment) == "processing"
    path = f"/v1/payments/{payment['id']}/events"
    assert "payment.stuck" not in (await system.get(path, actor=payer.id)).text
    assert "payment.stuck" in (await system.get(path, actor="olga", role="operator")).text
    system.bank.heal()
    await system.until(payment, "succeeded")
    assert (await system.events(payment)).count("payment.stuck") == 1

    async def none() -> bool:
        return await measured() == (0, 0)

    await eventually("no payment is stuck any more", none, seconds=20)


async def test_a_killed_original_confirmation_keeps_the_originals_answer(system: System) -> None:
    payer, payee = await system.customer(10_000), await system.customer()
    payment = await system.create(payer, payee, 500)
    body = {"transaction_id": payment["id"], "customer_id": payer.id, "amount": "5.00"}
    key = secrets.token_hex(8)
    system.account.fail("/transfers", "held")
    confirming = asyncio.create_task(system.post("/payment/confirm", body, actor=payer.id, key=key))
    await asyncio.wait_for(system.account.reached.wait(), 15)
    system.stack.processes.kill("confirm-service")
    system.account.heal()
    with pytest.raises(httpx.TransportError):
        await confirming
    await asyncio.to_thread(system.restart)
    await system.until(payment, "succeeded")
    kept = await system.post("/payment/confirm", body, actor=payer.id, key=key)
    assert (kept.status_code, kept.json()["status"]) == (200, "SUCCESS")
    assert kept.json()["amount"] == 5.0


@pytest.mark.parametrize(
    ("peer", "path"),
    [
        ("account", "/reserve-funds"),
        ("bank", "/process-transfer"),
        ("account", "/holds/"),
    ],
)
async def test_a_killed_payment_to_another_bank_is_finished(system: System, peer: str, path: str) -> None:
    payer = await system.customer(100_000)
    payment = await system.abroad(payer, 20_000)
    await kill_while(system, getattr(system, peer), path, "held", payment, payer)
    assert await system.until(payment, "succeeded", "failed", "requires_confirmation") == "succeeded"
    assert await system.balance(payer) == (79_750, 0)
    count = """SELECT count(*) FROM bank.transfers WHERE reference =
               (SELECT bank_reference FROM payments.payments WHERE id = $1)"""
    assert await system.database.fetchval(count, payment["id"]) == 1


async def test_a_verified_password_is_not_asked_again_after_a_crash(system: System) -> None:
    payer, payee = await system.customer(3_000_000), await system.customer()
    payment = await system.create(payer, payee, 1_500_000)
    key = secrets.token_hex(8)
    assert (await system.confirm(payment, payer, key=key)).json()["status"] == "requires_action"
    password = await system.password(payer)
    await kill_while(
        system, system.account, "/transfers", "held_before", payment, payer, key=key, otp=password
    )
    assert await system.until(payment, "succeeded", "requires_action") == "succeeded"
    assert await system.postings(payment) == 1
    kept = await system.confirm(payment, payer, key=key)
    assert (kept.status_code, kept.json()["status"]) == (200, "succeeded")


async def test_a_high_risk_payment_that_was_killed_early_asks_for_its_password(system: System) -> None:
    payer, payee = await system.customer(3_000_000), await system.customer()
    payment = await system.create(payer, payee, 1_500_000)
    key = secrets.token_hex(8)
    await kill_while(system, system.risk, "/assess-risk", "held", payment, payer, key=key)
    await system.until(payment, "requires_action")
    password = await system.password(payer)
    done = await system.confirm(payment, payer, key=key, otp=password)
    assert done.json()["status"] == "succeeded", done.text


async def test_a_refund_that_was_killed_is_finished(system: System) -> None:
    payer, payee = await system.customer(1_000), await system.customer()
    payment = await system.create(payer, payee, 1_000)
    assert (await system.confirm(payment, payer)).status_code == 200
    key = secrets.token_hex(8)
    path = f"/v1/payments/{payment['id']}/refunds"
    system.account.fail("/transfers", "held")
    refunding = asyncio.create_task(system.post(path, {"amount": 600}, actor=payer.id, key=key))
    await asyncio.wait_for(system.account.reached.wait(), 15)
    system.stack.processes.kill("confirm-service")
    system.account.heal()
    with pytest.raises(httpx.TransportError):
        await refunding
    await asyncio.to_thread(system.restart)
    for _ in range(150):
        kept = await system.post(path, {"amount": 600}, actor=payer.id, key=key)
        if kept.status_code == 201:
            break
        assert kept.status_code == 409
        await asyncio.sleep(0.1)
    assert kept.json()["status"] == "succeeded"
    assert await system.balance(payer) == (600, 0)


async def test_a_crash_under_load_loses_and_doubles_nothing(system: System) -> None:
    payer, payee = await system.customer(1_000_000), await system.customer()
    payments = [await system.create(payer, payee, 100 + n) for n in range(60)]

    async def confirm(payment: dict[str, Any], number: int) -> None:
        await asyncio.sleep(number * 0.02)
        try:
            await system.confirm(payment, payer, key=payment["id"])
        except httpx.TransportError:
            return

    confirming = asyncio.gather(*(confirm(payment, n) for n, payment in enumerate(payments)))
    await asyncio.sleep(0.5)
    system.stack.processes.kill("confirm-service")
    await asyncio.to_thread(system.restart)
    await confirming
    for payment in payments:
        if await system.status(payment) == "processing":
            await system.until(payment, "succeeded")
        done = await system.confirm(payment, payer, key=payment["id"])  # a client that tries again
        assert (done.status_code, done.json()["status"]) == (200, "succeeded"), done.text
    total = sum(payment["amount"] for payment in payments)
    assert await system.balance(payer) == (1_000_000 - total, 0)
    assert await system.balance(payee) == (total, 0)
    posted = await system.database.fetchval(
        "SELECT count(*) FROM accounts.transfers WHERE from_account = $1 AND kind = 'payment'", payer.account
    )
    assert posted == len(payments)
    told = await system.database.fetchval(
        "SELECT count(*) FROM payments.outbox WHERE type = 'payment.succeeded' AND topic = 'payment-events' "
        "AND payload->>'customer_id' = $1",
        payer.id,
    )
    assert told == len(payments)
