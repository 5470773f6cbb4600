"""The original's pending transaction, for trials. Never made again or reset once it exists."""

import psycopg

from payments.common.ids import new_id

_PAYMENT = """
    INSERT INTO payments.payments (id, customer_id, from_account, to_account, amount_minor, currency,
        currency_exponent, status)
    VALUES ('txn_001', 'cust_001', 'ACC001', 'ACC002', 100000, 'USD', 2, 'requires_confirmation')
    ON CONFLICT DO NOTHING RETURNING id"""
_EVENT = """
    SELECT payments.emit(%s, 'payment-events', id, 'payment.created', payments.inside(payments), NULL)
    FROM payments.payments WHERE id = 'txn_001'"""


def seed(connection: psycopg.Connection) -> None:
    """txn_001: 1,000.00 USD from ACC001 to ACC002, which never expires."""
    if connection.execute(_PAYMENT).fetchone() is not None:
        connection.execute(_EVENT, [new_id()])
