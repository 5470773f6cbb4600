"""What the routes read of the schema `accounts`."""

from datetime import datetime

from asyncpg import Record

from payments.common.db import Database

# Entries of internal accounts are written without the balance after them (migrations/0003_internal_accounts).
# The first column tells that the account exists and may be seen, also when it has no entries.
_ENTRIES = """
SELECT a.account_number AS found, e.id, e.account_number, e.amount_minor, e.currency, e.balance_after_minor,
       e.created_at, e.transfer_id, e.kind, e.payment_id, e.refund_id, e.counterparty
FROM accounts.balances AS a
LEFT JOIN LATERAL (
    SELECT n.id, n.account_number, n.amount_minor, n.currency, n.created_at,
           coalesce(n.balance_after_minor, a.posted_minor - coalesce((
               SELECT sum(newer.amount_minor) FROM accounts.entries AS newer
               WHERE newer.account_number = n.account_number AND newer.id > n.id), 0)::bigint
           ) AS balance_after_minor,
           n.transfer_id, t.kind, t.payment_id, t.refund_id,
           accounts.mask(CASE n.account_number WHEN t.from_account THEN t.to_account ELSE t.from_account END)
               AS counterparty
    FROM accounts.entries AS n JOIN accounts.transfers AS t ON t.id = n.transfer_id
    WHERE n.account_number = a.account_number AND ($3::bigint IS NULL OR n.id < $3)
    ORDER BY n.id DESC LIMIT $4
) AS e ON true
WHERE a.account_number = $1 AND ($2::text IS NULL OR a.customer_id = $2)
ORDER BY e.id DESC"""
# One row for each entry of the page, each with the whole period's sums; a single one when there is no entry.
# What was booked since the period began, taken from today's balance, is the opening balance.
_STATEMENT = """
WITH head AS (
    SELECT a.account_number, a.customer_id, a.currency,
           (a.posted_minor - coalesce(sum(e.amount_minor), 0))::bigint AS opening,
           count(*) FILTER (WHERE e.amount_minor > 0 AND e.created_at < $4) AS credit_count,
           count(*) FILTER (WHERE e.amount_minor < 0 AND e.created_at < $4) AS debit_count,
           coalesce(sum(e.amount_minor) FILTER (WHERE e.amount_minor > 0 AND e.created_at < $4), 0)::bigint
               AS credits,
           coalesce(-sum(e.amount_minor) FILTER (WHERE e.amount_minor < 0 AND e.created_at < $4), 0)::bigint
               AS debits,
           (SELECT l.created_at FROM accounts.entries AS l
            WHERE l.id = $5::bigint AND l.account_number = a.account_number) AS after_at
    FROM accounts.balances AS a
    LEFT JOIN accounts.entries AS e ON e.account_number = a.account_number AND e.created_at >= $3
    WHERE a.account_number = $1 AND ($2::text IS NULL OR a.customer_id = $2)
    GROUP BY a.account_number, a.customer_id, a.currency, a.posted_minor
)
SELECT head.*, p.id, p.created_at, p.amount_minor, p.transfer_id, t.kind, t.payment_id, t.refund_id,
       (head.opening + p.moved)::bigint AS balance_after,
       accounts.mask(CASE head.account_number WHEN t.from_account THEN t.to_account ELSE t.from_account END)
           AS counterparty
FROM head
LEFT JOIN LATERAL (
    SELECT * FROM (
        SELECT n.id, n.created_at, n.amount_minor, n.transfer_id,
               sum(n.amount_minor) OVER (ORDER BY n.created_at, n.id) AS moved
        FROM accounts.entries AS n
        WHERE n.account_number = head.account_number AND n.created_at >= $3 AND n.created_at < $4
    ) AS booked
    WHERE $5::bigint IS NULL OR (booked.created_at, booked.id) > (head.after_at, $5)
    ORDER BY booked.created_at, booked.id LIMIT $6
) AS p ON true
LEFT JOIN accounts.transfers AS t ON t.id = p.transfer_id
ORDER BY p.created_at, p.id"""
_COLUMNS = """
SELECT account_number, customer_id, kind, account_type, name, currency, status, posted_minor, held_minor,
       available_minor, created_at
FROM accounts.balances"""
_OWN_ACCOUNTS = (
    _COLUMNS + ' WHERE customer_id = $1 AND account_number > $2 COLLATE "C" ORDER BY account_number LIMIT $3'
)
_ALL_ACCOUNTS = _COLUMNS + ' WHERE account_number > $1 COLLATE "C" ORDER BY account_number LIMIT $2'
_ACCOUNT = _COLUMNS + " WHERE account_number = $1 AND ($2::text IS NULL OR customer_id = $2)"


class Queries:
    """Reads only. `owner` restricts to one customer's accounts; None sees all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def account(self, number: str, owner: str | None) -> Record | None:
        """One account."""
        return await self._database.fetchrow(_ACCOUNT, number, owner)

    async def accounts(self, owner: str | None, after: str, limit: int) -> list[Record]:
        """Accounts by number, those after `after`."""
        if owner is None:
            return await self._database.fetch(_ALL_ACCOUNTS, after, limit)
        return await self._database.fetch(_OWN_ACCOUNTS, owner, after, limit)

    async def entries(
        self, number: str, owner: str | None, before: int | None, limit: int
    ) -> list[Record] | None:
        """Entries of an account, newest first, those older than entry `before`; None without the account."""
        rows = await self._database.fetch(_ENTRIES, number, owner, before, limit)
        if not rows:
            return None
        return [row for row in rows if row["id"] is not None]

    async def statement(
        self, number: str, owner: str | None, begins: datetime, ends: datetime, after: int | None, limit: int
    ) -> list[Record]:
        """Entries booked from `begins` to before `ends`, oldest first, those after entry `after`; with sums.

        Empty without the account. `after_at` is NULL when there is no entry `after` on this account.
        """
        return await self._database.fetch(_STATEMENT, number, owner, begins, ends, after, limit)
