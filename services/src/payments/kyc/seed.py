"""Demo customers of the dev profile; all of them are fictitious."""

import psycopg

# customer_id, kind, name, mailbox, last digit of the phone, country, date of birth, status, level.
# The ids of the last two stand on the sample sanctions list.
_CUSTOMERS = [
    ("cust_001", "individual", "John Smith", "john", 0, "US", "1980-04-12", "verified", "full"),
    ("cust_002", "individual", "Jane Miller", "jane", 1, "US", "1985-09-30", "verified", "full"),
    ("cust_003", "business", "Harbour Lane Trading LLC", "office", 2, "US", None, "verified", "full"),
    ("cust_004", "individual", "Peter Holm", "peter", 3, "DK", "1991-01-05", "pending", "basic"),
    ("BLOCKED_CUSTOMER_001", "individual", "Oskar Tallow", "tallow", 4, "US", None, "verified", "full"),
    ("SANCTIONED_ENTITY_002", "business", "Fernbrook Supplies", "fern", 5, "US", None, "verified", "full"),
]

_INSERT = """
INSERT INTO kyc.customers (customer_id, kind, name, email, phone, country, date_of_birth, status, level)
VALUES (%s, %s, %s, %s || '@example.com', '+123456789' || %s::text, %s, %s, %s, %s)
ON CONFLICT (customer_id) DO NOTHING"""


def seed(connection: psycopg.Connection) -> None:
    """Insert the customers that are missing; existing ones keep what they have."""
    for customer in _CUSTOMERS:
        connection.execute(_INSERT, customer)
