"""Accounts of the demo customers (dev profile only)."""

import psycopg

# Account, customer, opening balance in cents.
ACCOUNTS = (
    ("ACC001", "cust_001", 15_000_00),
    ("ACC002", "cust_002", 8_500_00),
    ("ACC003", "cust_003", 100_000_00),
    # Customers whose payments are refused, so that a refusal can be shown.
    ("ACC004", "cust_004", 1_000_00),
    ("ACC005", "BLOCKED_CUSTOMER_001", 1_000_00),
    ("ACC006", "SANCTIONED_ENTITY_002", 1_000_00),
)


def seed(connection: psycopg.Connection) -> None:
    """Open the accounts that do not exist; a balance that has moved on stays as it is."""
    for number, customer, opening in ACCOUNTS:
        connection.execute(
            "SELECT accounts.open_account(%s, %s, 'USD', %s)",
            [number, customer, opening],
        )
