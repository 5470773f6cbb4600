"""A peer that does not answer: payments fail at once and without effect, and go on when it is back."""

import asyncio
import time

from tests.integration.confirm.conftest import System
from tests.support.internal_calls import eventually

FAILURES = 5  # that open a circuit; each takes two attempts of the client on a broken connection


async def circuit(system: System, peer: str) -> float:
    """0 closed, 1 half-open, 2 open; as Prometheus would read it."""
    lines = (await system.http.get("/metrics")).text.splitlines()
    (line,) = [line for line in lines if line.startswith(f'payments_circuit_state{{peer="{peer}"}}')]
    return float(line.rsplit(" ", 1)[1])


async def test_an_open_circuit_fails_payments_at_once_and_without_effect(system: System) -> None:
    payer, payee = await system.customer(100_000), await system.customer()
    payments = [await system.create(payer, payee, 100) for _ in range(FAILURES + 3)]
    # Answers of the last ten seconds count against the failures.
    system.risk.fail("/", "lost", times=10_000)

    async def opened() -> bool:
        answer = await system.confirm(payments[0], payer)
        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable"), answer.text
        return await circuit(system, "risk-service") == 2

    await eventually("the circuit is open", opened, seconds=15, pause=0)
    asked, began = system.risk.seen["POST /assess-risk"], time.monotonic()
    answers = await asyncio.gather(*(system.confirm(payment, payer) for payment in payments[1:]))
    assert {answer.status_code for answer in answers} == {503}
    assert all(answer.headers["retry-after"] for answer in answers)
    # At most a probe: one call, which the client tries twice.
    assert system.risk.seen["POST /assess-risk"] - asked <= 2 * (1 + int(time.monotonic() - began))
    for payment in payments:
        assert await system.status(payment) == "requires_confirmation"
        assert await system.postings(payment) == 0
    system.risk.heal()

    async def succeeds() -> bool:
        return (await system.confirm(payments[0], payer)).status_code == 200

    await eventually("payments go on", succeeds)
    assert await circuit(system, "risk-service") == 0
    assert await system.postings(payments[0]) == 1


async def test_a_bank_that_is_asked_for_a_status_is_asked_through_an_open_circuit(system: System) -> None:
    payer = await system.customer(1_000_000)
    payments = [await system.abroad(payer, 1_000) for _ in range(FAILURES)]
    system.bank.fail("/", "lost", times=10_000)

    async def opened() -> bool:
        for payment in payments:
            await system.confirm(payment, payer)
        return await circuit(system, "partner-bank-api") == 2

    await eventually("the circuit is open", opened, seconds=15)
    system.bank.heal()
    for payment in payments:
        if await system.status(payment) == "processing":
            assert await system.until(payment, "succeeded") == "succeeded"
    assert await circuit(system, "partner-bank-api") == 0
    orders = await system.database.fetchval(
        """SELECT count(*) FROM bank.transfers WHERE reference IN
           (SELECT bank_reference FROM payments.payments WHERE customer_id = $1)""",
        payer.id,
    )
    assert orders == await system.database.fetchval(
        "SELECT count(*) FROM payments.payments WHERE customer_id = $1 AND status = 'succeeded'", payer.id
    )
