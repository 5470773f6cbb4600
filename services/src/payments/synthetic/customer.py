"""The synthetic customer: a user, a verified customer without any address, and two accounts to pay between.

Made by the migration Job where `health.syntheticPayment` is on. The money never leaves the two accounts.
"""

from pathlib import Path

import psycopg

from payments.gateway import seed as users
from payments.gateway.passwords import hash_password, is_password

CUSTOMER = "cust_synthetic"
NAME = "Synthetic Customer"
ACCOUNTS = ("SYNTHETIC-1", "SYNTHETIC-2")
CURRENCY = "USD"
OPENING = 1_000  # minor units


def seed(connection: psycopg.Connection, module: str, credentials: Path) -> None:
    """What one owner's schema has to have of it; idempotent. The Secret's password wins.

    Args:
        module: gateway, kyc or account; the others have nothing of it.
        credentials: folder with the files `username` and `password`.
    """
    if module == "gateway":
        _user(connection, *(_read(credentials / name) for name in ("username", "password")))
    elif module == "kyc":
        connection.execute(
            "INSERT INTO kyc.customers (customer_id, kind, name, country, status, level)"
            " VALUES (%s, 'business', %s, 'US', 'verified', 'full') ON CONFLICT (customer_id) DO NOTHING",
            [CUSTOMER, NAME],
        )
    elif module == "account":
        for number in ACCOUNTS:
            connection.execute(
                "SELECT accounts.open_account(%s, %s, %s, %s, %s)",
                [number, CUSTOMER, CURRENCY, OPENING, "Synthetic account"],
            )


def _user(connection: psycopg.Connection, username: str, password: str) -> None:
    found = connection.execute(
        "SELECT password_hash, customer_id FROM gateway.users WHERE username = %s", [username]
    ).fetchone()
    if found is None:
        users.add_user(connection, username, password, customer_id=CUSTOMER, role="customer")
    elif found[1] != CUSTOMER:
        raise ValueError(
            f"Secret synthetic-customer: username {username!r} is somebody else's: choose another"
        )
    elif not is_password(str(found[0]), password):
        connection.execute(
            "UPDATE gateway.users SET password_hash = %s WHERE username = %s",
            [hash_password(password), username],
        )


def _read(path: Path) -> str:
    return path.read_text().strip()
