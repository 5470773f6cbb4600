"""Demo users of the dev profile. They all have the password `password123`."""

import psycopg

from payments.gateway.passwords import hash_password

# username, customer, role
_USERS = [
    ("demo", "cust_001", "customer"),
    ("demo2", "cust_002", "customer"),
    ("demo3", "cust_003", "customer"),
    ("demo4", "cust_004", "customer"),
    ("blocked", "BLOCKED_CUSTOMER_001", "customer"),
    ("sanctioned", "SANCTIONED_ENTITY_002", "customer"),
    ("operator", None, "operator"),
    ("auditor", None, "auditor"),
]
_PASSWORD = "password123"  # noqa: S105  # public knowledge, like the users; never seeded outside dev

_INSERT = """
INSERT INTO gateway.users (user_id, username, customer_id, role, password_hash) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (username) DO NOTHING"""


def seed(connection: psycopg.Connection) -> None:
    """Insert the users that are missing; existing ones keep what they have."""
    present = {row[0] for row in connection.execute("SELECT username FROM gateway.users").fetchall()}
    for username, customer_id, role in _USERS:
        if username not in present:
            add_user(connection, username, _PASSWORD, customer_id=customer_id, role=role)


def add_user(
    connection: psycopg.Connection, username: str, password: str, *, customer_id: str | None, role: str
) -> None:
    """Insert one user unless the name is taken."""
    user = (f"user_{username}", username, customer_id, role, hash_password(password))
    connection.execute(_INSERT, user)
