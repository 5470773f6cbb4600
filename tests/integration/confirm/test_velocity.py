"""What a customer did before, counted in the confirmation itself; the assessment as it is kept."""

import json
from typing import Any

from tests.integration.confirm.conftest import Customer, System


async def assessment(system: System, payment: dict[str, Any]) -> dict[str, Any]:
    """As the table has it."""
    found = await system.database.fetchval(
        "SELECT assessment::text FROM payments.payments WHERE id = $1", payment["id"]
    )
    assert found is not None
    kept: dict[str, Any] = json.loads(found)
    return kept


async def paid(system: System, payer: Customer, payee: Customer, amount: int) -> dict[str, Any]:
    payment = await system.create(payer, payee, amount)
    done = await system.confirm(payment, payer)
    assert done.status_code == 200, done.text
    return payment


async def age(system: System, payment: dict[str, Any], interval: str) -> None:
    """Let a payment, and what was spent by it, have happened earlier."""
    await system.database.execute(
        f"UPDATE payments.payments SET created_at = created_at - interval '{interval}' WHERE id = $1",
        payment["id"],
    )
    await system.database.execute(
        f"""UPDATE payments.spending SET hour = hour - interval '{interval}' WHERE customer_id = $1
            AND hour = (SELECT max(hour) FROM payments.spending WHERE customer_id = $1)""",
        payment["customer_id"],
    )


def windows(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in facts if name.startswith(("payments_", "sum_", "new_"))}


async def test_the_windows_tell_of_earlier_payments(system: System) -> None:
    payer, payee, other = await system.customer(100_000), await system.customer(), await system.customer()
    first = await paid(system, payer, payee, 1_000)
    assert windows((await assessment(system, first))["facts"]) == {
        "payments_1h": 0,
        "payments_24h": 0,
        "payments_7d": 0,
        "sum_1h": "0.00",
        "sum_24h": "0.00",
        "sum_7d": "0.00",
        "new_payee": True,
    }
    # Before every window, and not yet so long ago that the janitor forgets it.
    await age(system, first, "180 hours")
    for amount, interval in ((2_000, "3 days"), (3_000, "5 hours")):
        await age(system, await paid(system, payer, payee, amount), interval)
    await system.create(payer, payee, 50_000)  # counted, but nothing was spent
    last = await paid(system, payer, payee, 4_000)
    assert windows((await assessment(system, last))["facts"]) == {
        "payments_1h": 1,
        "payments_24h": 2,
        "payments_7d": 3,
        "sum_1h": "0.00",
        "sum_24h": "30.00",
        "sum_7d": "50.00",
        "new_payee": False,
    }
    elsewhere = await paid(system, payer, other, 100)
    facts = (await assessment(system, elsewhere))["facts"]
    assert (facts["new_payee"], facts["sum_1h"], facts["payments_24h"]) == (True, "40.00", 3)
    spent = await system.database.fetchval(
        "SELECT sum(amount_minor) FROM payments.spending WHERE customer_id = $1", payer.id
    )
    assert spent == await system.database.fetchval(
        "SELECT sum(amount_minor) FROM payments.payments WHERE customer_id = $1 AND status = 'succeeded'",
        payer.id,
    )


async def test_simulated_rules_are_recorded_and_change_nothing(system: System) -> None:
    payer, payee = await system.customer(1_000_000), await system.customer()
    kept = await assessment(system, await paid(system, payer, payee, 200_000))
    assert (kept["public"]["score"], kept["public"]["reasons"]) == (0, [])
    assert kept["simulated"]["reasons"] == ["new_payee_over_1000"]
    assert len(kept["rules_version"]) == 12


async def test_a_busy_customer_is_counted_to_a_hundred_by_the_index(system: System) -> None:
    payer, payee = await system.customer(100_000), await system.customer()
    await system.database.execute(
        """INSERT INTO payments.payments (id, customer_id, from_account, to_account, amount_minor, currency,
               currency_exponent, status, created_at, reference, confirmed_at)
           SELECT $1 || '-' || n, $1, $2, $3, 1, 'USD', 2, 'succeeded', now() - n * interval '1 second',
               $1 || '-' || n, now()
           FROM generate_series(1, 5000) AS n""",
        payer.id,
        payer.account,
        payee.account,
    )
    await system.database.execute("ANALYZE payments.payments")
    facts = (await assessment(system, await paid(system, payer, payee, 100)))["facts"]
    assert (facts["payments_1h"], facts["payments_24h"], facts["payments_7d"]) == (100, 100, 100)
    async with system.database.acquire() as connection:
        plan = await connection.fetchval(
            """EXPLAIN (ANALYZE, FORMAT JSON) SELECT count(*) FROM (
                   SELECT created_at FROM payments.payments
                   WHERE customer_id = $1 AND id <> 'x' AND created_at > now() - interval '7 days'
                   ORDER BY created_at DESC LIMIT 100) AS recent""",
            payer.id,
        )
    assert "Index" in plan and "Seq Scan" not in plan
