"""Accounts of the demo customers (dev profile only)."""

import psycopg

# Account, customer, currency, opening balance in minor units.
ACCOUNTS = (
    ("ACC001", "cust_001", "USD", 15_000_00),
    ("ACC002", "cust_002", "USD", 8_500_00),
    ("ACC003", "cust_003", "USD", 100_000_00),
    # One customer with accounts in several currencies, and somebody to pay in each of them.
    ("ACC011", "cust_001", "EUR", 2_000_00),
    ("ACC012", "cust_001", "JPY", 300_000),
    ("ACC013", "cust_003", "EUR", 0),
    ("ACC014", "cust_003", "JPY", 0),
    # Customers whose payments are refused, so that a refusal can be shown.
    ("ACC004", "cust_004", "USD", 1_000_00),
    ("ACC005", "BLOCKED_CUSTOMER_001", "USD", 1_000_00),
    ("ACC006", "SANCTIONED_ENTITY_002", "USD", 1_000_00),
)


def seed(connection: psycopg.Connection) -> None:
    """Open the accounts that do not exist; a balance that has moved on stays as it is."""
    for number, customer, currency, opening in ACCOUNTS:
        connection.execute(
            "SELECT accounts.open_account(%s, %s, %s, %s)", [number, customer, currency, opening]
        )
