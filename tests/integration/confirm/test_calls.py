"""The budget of the hot path, counted by the servers: two calls of the database, one of each peer."""

from tests.integration.confirm.conftest import System

# What goes on without payments, too: the relay, the janitor, the probes.
BACKGROUND = ("outbox", "claim_stuck", "payments.expire", "idempotency_keys WHERE ctid", "alembic_version")


async def statements(system: System) -> dict[str, int]:
    """Calls of confirm-service's role so far, by statement."""
    rows = await system.database.fetch(
        """SELECT query, sum(calls)::int FROM pg_stat_statements
           WHERE userid = 'payments'::regrole
               AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           GROUP BY query"""
    )
    ours = [row for row in rows if "payments." in row[0] and not any(word in row[0] for word in BACKGROUND)]
    return {row[0]: row[1] for row in ours}


async def test_a_warm_low_risk_confirmation_takes_two_calls(system: System) -> None:
    await system.database.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    payer, payee = await system.customer(100_000), await system.customer()
    payments = [await system.create(payer, payee, 5) for _ in range(6)]
    assert (await system.confirm(payments.pop(), payer)).status_code == 200
    before = await statements(system)
    for gate in system.gates.values():
        gate.seen.clear()
    for payment in payments:
        assert (await system.confirm(payment, payer)).status_code == 200
    after = await statements(system)
    grown = {query: calls - before.get(query, 0) for query, calls in after.items()}
    # What goes on besides, once in a second or more rarely, does not grow with the payments.
    calls = {query: count for query, count in grown.items() if count >= len(payments)}
    assert sorted(calls.values()) == [len(payments)] * 2, grown
    assert system.risk.seen == {"POST /assess-risk": 5}
    assert system.account.seen == {"POST /transfers": 5}
    assert not system.otp.seen and not system.bank.seen
