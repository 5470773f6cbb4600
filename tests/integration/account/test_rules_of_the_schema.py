"""What the database itself refuses, whatever the service does."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from hack.dev.stack import Stack

from .conftest import Ledger


@pytest.fixture
async def role(stack: Stack) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection as the role of account-service."""
    host, port = stack.servers.postgres
    connection = await asyncpg.connect(
        host=host, port=port, database=stack.servers.database, user="accounts", password="dev-accounts"
    )
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts.entries SET amount_minor = 1",
        "DELETE FROM accounts.entries",
        "TRUNCATE accounts.entries",
        """INSERT INTO accounts.entries
           (transfer_id, account_number, amount_minor, currency, balance_after_minor, created_at)
           VALUES ('x', 'ACC001', 1, 'USD', 1, now())""",
        "UPDATE accounts.transfers SET amount_minor = 1",
        "DELETE FROM accounts.transfers",
        "UPDATE accounts.accounts SET posted_minor = posted_minor + 1",
        "UPDATE accounts.shares SET posted_minor = posted_minor + 1",
        "DELETE FROM accounts.shares",
        "DELETE FROM accounts.returns",
        "UPDATE accounts.accounts SET status = 'open'",
        "DELETE FROM accounts.holds",
        "UPDATE accounts.holds SET status = 'voided', resolved_at = now()",
        "UPDATE accounts.outbox SET payload = '{}'",
        "SELECT accounts.open_account('TMINE', 'cust_001', 'USD', 1000000)",
        """SELECT accounts.record_transfer('payment', 'x', NULL, 'ACC002', 'ACC001', 1, 'USD',
                                           NULL, 'x', NULL)""",
        "ALTER TABLE accounts.entries DISABLE TRIGGER ALL",
        "DROP TABLE accounts.entries",
        "CREATE TABLE accounts.mine ()",
        "SELECT * FROM bank.transfers",
    ],
)
async def test_the_role_cannot_write_past_the_functions(
    role: "asyncpg.Connection[asyncpg.Record]", statement: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await role.execute(statement)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE accounts.entries SET currency = 'EUR'", asyncpg.IntegrityConstraintViolationError),
        ("DELETE FROM accounts.entries", asyncpg.IntegrityConstraintViolationError),
        ("TRUNCATE accounts.entries", asyncpg.IntegrityConstraintViolationError),
        ("DELETE FROM accounts.transfers", asyncpg.IntegrityConstraintViolationError),
        (
            """INSERT INTO accounts.entries
               (transfer_id, account_number, amount_minor, currency, balance_after_minor, created_at)
               SELECT id, to_account, 5, currency, 5, now() FROM accounts.transfers LIMIT 1""",
            asyncpg.CheckViolationError,
        ),
        # An entry in another currency than its account's, or its transfer's.
        (
            """INSERT INTO accounts.entries
               (transfer_id, account_number, amount_minor, currency, balance_after_minor, created_at)
               SELECT id, side, amount, 'EUR', 0, now()
               FROM (SELECT id, from_account, to_account FROM accounts.transfers LIMIT 1) AS t,
                    LATERAL (VALUES (from_account, -5), (to_account, 5)) AS sides (side, amount)""",
            asyncpg.ForeignKeyViolationError,
        ),
        (
            """WITH made AS (INSERT INTO accounts.transfers
                   (kind, payment_id, from_account, to_account, amount_minor, currency, posted_at)
                   VALUES ('payment', 'mixed', 'ACC001', 'ACC011', 5, 'USD', now()) RETURNING id)
               INSERT INTO accounts.entries
               (transfer_id, account_number, amount_minor, currency, balance_after_minor, created_at)
               SELECT id, side, amount, 'USD', 0, now()
               FROM made, (VALUES ('ACC001', -5), ('ACC011', 5)) AS sides (side, amount)""",
            asyncpg.ForeignKeyViolationError,
        ),
        (
            "UPDATE accounts.accounts SET currency = 'EUR' WHERE account_number = 'ACC001'",
            asyncpg.ForeignKeyViolationError,
        ),
        (
            "UPDATE accounts.accounts SET posted_minor = -1 WHERE account_number = 'ACC001'",
            asyncpg.CheckViolationError,
        ),
        (
            "UPDATE accounts.accounts SET held_minor = posted_minor + 1 WHERE account_number = 'ACC001'",
            asyncpg.CheckViolationError,
        ),
    ],
)
async def test_even_the_superuser_is_stopped_from_breaking_the_books(
    ledger: Ledger, statement: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await ledger.database.execute(statement)
    await ledger.check()


async def test_opening_an_account_again_changes_nothing(ledger: Ledger) -> None:
    number = await ledger.open(500, customer="cust-again")
    for opening in (500, 900):
        await ledger.database.execute(
            "SELECT accounts.open_account($1, 'cust-again', 'USD', $2)", number, opening
        )
    assert await ledger.balance(number) == (500, 0, 500)
    with pytest.raises(asyncpg.UniqueViolationError):
        await ledger.database.execute("SELECT accounts.open_account($1, 'another', 'USD', 0)", number)
    await ledger.check()
