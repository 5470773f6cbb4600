"""Damage to books as a person with every right would do it, one mismatch each."""

import random
from collections.abc import Callable
from typing import Any

import psycopg

from payments.common.ids import new_id

Connection = psycopg.Connection[tuple[Any, ...]]
Found = tuple[str, str]

# Payments without refunds, so that each plant is one mismatch.
ON_US = """
SELECT id FROM payments.payments AS p WHERE status = 'succeeded' AND to_routing_number IS NULL
    AND NOT EXISTS (SELECT FROM payments.refunds WHERE payment_id = p.id) ORDER BY id"""
OFF_US = """
SELECT id FROM payments.payments AS p WHERE status = 'succeeded' AND to_routing_number IS NOT NULL
    AND NOT EXISTS (SELECT FROM payments.refunds WHERE payment_id = p.id) ORDER BY id"""
REFUNDS = "SELECT id FROM payments.refunds WHERE status = 'succeeded' AND bank_reference IS NULL ORDER BY id"
RETURNS = """
SELECT bank_reference FROM payments.refunds
WHERE status = 'succeeded' AND bank_reference IS NOT NULL ORDER BY id"""
AUDITED = "SELECT event_id FROM audit.events ORDER BY seq"


def plant(connection: Connection, dice: random.Random, count: int) -> list[Found]:
    """Plant `count` mismatches at random, every kind at least once, each on its own victim: (kind, id)."""
    # Whoever doubles a posting gets rid of what forbids it.
    connection.execute("DROP INDEX accounts.transfers_once")
    victims = {query: _shuffled(connection, query, dice) for query, _ in PLANTS}
    planted: list[Found] = []
    while len(planted) < count:
        query, damage = PLANTS[len(planted)] if len(planted) < len(PLANTS) else dice.choice(PLANTS)
        if victims[query]:
            planted.append(damage(connection, victims[query].pop()))
    return planted


def _shuffled(connection: Connection, query: str, dice: random.Random) -> list[str]:
    found = [str(row[0]) for row in connection.execute(query.encode()).fetchall()]
    dice.shuffle(found)
    return found


def _one(connection: Connection, statement: str, *values: Any) -> None:
    changed = connection.execute(statement.encode(), values).rowcount
    assert changed == 1, f"{changed} rows were changed by {statement}"


def _bank_transfer_of_nobody(connection: Connection, victim: str) -> Found:
    reference = f"PAY{new_id()}"
    _one(
        connection,
        """INSERT INTO bank.transfers (reference, reference_number, from_account, to_account, to_name,
               routing_number, amount_minor, currency, fee_minor, received_at, completes_at,
               estimated_settlement)
           SELECT %s, 'BNK' || %s::text, b.from_account, b.to_account, b.to_name, b.routing_number,
               b.amount_minor, b.currency, b.fee_minor, b.received_at, b.completes_at, b.estimated_settlement
           FROM bank.transfers AS b JOIN payments.payments AS p ON p.bank_reference = b.reference
           WHERE p.id = %s""",
        reference,
        reference,
        victim,
    )
    return "bank_transfer_without_posting", reference


def _bank_forgets(connection: Connection, victim: str) -> Found:
    _one(
        connection,
        "DELETE FROM bank.transfers WHERE reference ="
        " (SELECT bank_reference FROM payments.payments WHERE id = %s)",
        victim,
    )
    return "posting_without_bank_transfer", victim


def _bank_amount(connection: Connection, victim: str) -> Found:
    _one(
        connection,
        "UPDATE bank.transfers SET amount_minor = amount_minor + 1 WHERE reference ="
        " (SELECT bank_reference FROM payments.payments WHERE id = %s)",
        victim,
    )
    return "amount_differs", victim


def _bank_rejects(connection: Connection, victim: str) -> Found:
    _one(
        connection,
        "UPDATE bank.transfers SET error_code = 'AMOUNT_EXCEEDS_LIMIT' WHERE reference ="
        " (SELECT bank_reference FROM payments.payments WHERE id = %s)",
        victim,
    )
    return "status_differs", victim


def _ledger_amount(connection: Connection, victim: str) -> Found:
    connection.execute(
        "UPDATE accounts.entries SET amount_minor = amount_minor + sign(amount_minor) * 700"
        " WHERE transfer_id = (SELECT id FROM accounts.transfers WHERE payment_id = %s AND kind = 'payment')",
        [victim],
    )
    _one(
        connection,
        "UPDATE accounts.transfers SET amount_minor = amount_minor + 700"
        " WHERE payment_id = %s AND kind = 'payment'",
        victim,
    )
    return "amount_differs", victim


def _posting_gone(connection: Connection, victim: str) -> Found:
    connection.execute(
        "DELETE FROM accounts.entries WHERE transfer_id IN"
        " (SELECT id FROM accounts.transfers WHERE payment_id = %s)",
        [victim],
    )
    assert connection.execute("DELETE FROM accounts.transfers WHERE payment_id = %s", [victim]).rowcount
    return "payment_missing_in_ledger", victim


def _refund_posting_gone(connection: Connection, victim: str) -> Found:
    connection.execute(
        "DELETE FROM accounts.entries WHERE transfer_id ="
        " (SELECT id FROM accounts.transfers WHERE refund_id = %s)",
        [victim],
    )
    _one(connection, "DELETE FROM accounts.transfers WHERE refund_id = %s", victim)
    return "refund_missing_in_ledger", victim


def _refund_of(connection: Connection, reference: str) -> str:
    found = connection.execute("SELECT id FROM payments.refunds WHERE bank_reference = %s", [reference])
    return str(found.fetchall()[0][0])


def _bank_forgets_return(connection: Connection, victim: str) -> Found:
    _one(connection, "DELETE FROM bank.returns WHERE reference = %s", victim)
    return "posting_without_bank_return", _refund_of(connection, victim)


def _returned_less(connection: Connection, victim: str) -> Found:
    _one(connection, "UPDATE bank.returns SET amount_minor = amount_minor + 1 WHERE reference = %s", victim)
    return "amount_differs", _refund_of(connection, victim)


def _posted_again(connection: Connection, victim: str) -> Found:
    transfer = new_id()
    _one(
        connection,
        """INSERT INTO accounts.transfers (id, kind, payment_id, from_account, to_account, amount_minor,
               currency, bank_reference, posted_at)
           SELECT %s, kind, payment_id, from_account, to_account, amount_minor, currency, bank_reference,
               posted_at
           FROM accounts.transfers WHERE payment_id = %s AND kind = 'payment'""",
        transfer,
        victim,
    )
    connection.execute(
        """INSERT INTO accounts.entries (transfer_id, account_number, amount_minor, currency,
               balance_after_minor, created_at)
           SELECT %s, account_number, amount_minor, currency, balance_after_minor, created_at
           FROM accounts.entries WHERE transfer_id =
               (SELECT id FROM accounts.transfers WHERE payment_id = %s AND kind = 'payment' AND id <> %s)""",
        [transfer, victim, transfer],
    )
    return "posted_twice", victim


def _entries_doubled(connection: Connection, victim: str) -> Found:
    connection.execute(
        """INSERT INTO accounts.entries (transfer_id, account_number, amount_minor, currency,
               balance_after_minor, created_at)
           SELECT transfer_id, account_number, amount_minor, currency, balance_after_minor, created_at
           FROM accounts.entries WHERE transfer_id =
               (SELECT id FROM accounts.transfers WHERE payment_id = %s AND kind = 'payment')""",
        [victim],
    )
    return "posted_twice", victim


def _payment_failed(connection: Connection, victim: str) -> Found:
    _one(connection, "UPDATE payments.payments SET status = 'failed' WHERE id = %s", victim)
    return "status_differs", victim


def _payment_gone(connection: Connection, victim: str) -> Found:
    _one(connection, "DELETE FROM payments.payments WHERE id = %s", victim)
    return "posting_without_payment", victim


def _payee_changed(connection: Connection, victim: str) -> Found:
    _one(connection, "UPDATE payments.payments SET to_account = 'VTHIEF' WHERE id = %s", victim)
    return "accounts_differ", victim


def _audit_forgets(connection: Connection, victim: str) -> Found:
    _one(connection, "DELETE FROM audit.events WHERE event_id = %s", victim)
    return "event_missing_in_audit", victim


def _audit_changed(connection: Connection, victim: str) -> Found:
    _one(
        connection,
        """UPDATE audit.events SET payload = (payload::jsonb || '{"amount": 1, "changed": true}')::json
           WHERE event_id = %s""",
        victim,
    )
    return "audit_row_changed", victim


Plant = tuple[str, Callable[[Connection, str], Found]]
PLANTS: tuple[Plant, ...] = (
    (OFF_US, _bank_transfer_of_nobody),
    (OFF_US, _bank_forgets),
    (OFF_US, _bank_amount),
    (OFF_US, _bank_rejects),
    (ON_US, _ledger_amount),
    (ON_US, _posting_gone),
    (OFF_US, _posting_gone),
    (REFUNDS, _refund_posting_gone),
    (RETURNS, _bank_forgets_return),
    (RETURNS, _returned_less),
    (ON_US, _posted_again),
    (ON_US, _entries_doubled),
    (ON_US, _payment_failed),
    (OFF_US, _payment_failed),
    (ON_US, _payment_gone),
    (ON_US, _payee_changed),
    (AUDITED, _audit_forgets),
    (AUDITED, _audit_changed),
)
