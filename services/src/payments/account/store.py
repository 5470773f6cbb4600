"""Calls of the schema `accounts`: one database call for each operation.

Money moves in the functions of the schema alone (see migrations/). Every call raises
Problem(service_unavailable) while the database is away; whether the operation took place is then unknown, and
repeating it answers.
"""

from datetime import datetime, timedelta

from asyncpg import DivisionByZeroError, Record

from payments.account.messages import ReserveRequest, ReturnRequest, TransferRequest, ValidateRequest
from payments.common import context
from payments.common.clock import utcnow
from payments.common.db import Database
from payments.common.errors import unavailable

SCHEMA = "accounts"
REVISION = "0003"

_PATIENCE = 5.0  # seconds that a caller waits at the most
_SKEW = timedelta(seconds=2)  # what the clocks here and in PostgreSQL may differ

# A network that heals may deliver a statement long after its sender has given up, and whoever looked after
# the payment since then found nothing and ended it. So these two say until when they may take place; a
# division by zero undoes what comes later.
_TRANSFER = """
SELECT o_refusal AS refusal, o_id AS id, o_at AS at,
       1 / (clock_timestamp() < $10::timestamptz)::int AS in_time
FROM accounts.post_transfer($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
_POSTED = "SELECT id, posted_at AS at FROM accounts.transfers WHERE payment_id = $1 AND kind = 'payment'"
_RESERVE = """
SELECT o_refusal AS refusal, o_id AS id, o_status AS status, o_expires_at AS expires_at,
       1 / (clock_timestamp() < $10::timestamptz)::int AS in_time
FROM accounts.reserve($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
_POST = """
SELECT o_refusal AS refusal, o_hold_id AS id, o_transfer_id AS transfer_id, o_at AS at
FROM accounts.post_hold($1, $2, $3)"""
_VOID = """
SELECT o_refusal AS refusal, o_hold_id AS id, o_at AS at FROM accounts.void_hold($1, $2)"""
_RETURN = """
SELECT o_refusal AS refusal, o_id AS id, o_at AS at FROM accounts.post_return($1, $2, $3, $4, $5, $6)"""

# The rules are those of accounts.post_transfer, read without a lock.
_VALIDATE = """
SELECT coalesce(
           accounts.refusal(payer, $1, $5, 'from_account'),
           CASE WHEN $3::text = $2 THEN 'self_transfer/to_account' END,
           CASE WHEN $3::text IS NOT NULL THEN accounts.refusal(payee, NULL, $5, 'to_account') END,
           CASE WHEN payer.available_minor < $4::bigint THEN 'insufficient_funds/from_account' END
       ) AS refusal,
       payer.account_number, payer.customer_id, payer.kind, payer.account_type, payer.name, payer.currency,
       payer.status, payer.posted_minor, payer.held_minor, payer.available_minor, payer.created_at
FROM (VALUES (1)) AS one
LEFT JOIN accounts.accounts AS payer ON payer.account_number = $2
LEFT JOIN accounts.accounts AS payee ON payee.account_number = $3"""

_TO_CHECK = """
SELECT payment_id, bank_reference, amount_minor, fee_minor, currency FROM accounts.holds
WHERE status = 'posted' AND (checked_at IS NULL OR difference IS NOT NULL)
  AND (checked_at IS NULL OR checked_at < now() - $1::interval)
ORDER BY resolved_at LIMIT $2"""
_CHECKED = "UPDATE accounts.holds SET checked_at = now(), difference = $2 WHERE payment_id = $1"

_RETURNS_TO_CHECK = """
SELECT r.refund_id, t.bank_reference, t.amount_minor, t.currency
FROM accounts.returns AS r JOIN accounts.transfers AS t ON t.refund_id = r.refund_id AND t.kind = 'refund'
WHERE (r.checked_at IS NULL OR r.difference IS NOT NULL)
  AND (r.checked_at IS NULL OR r.checked_at < now() - $1::interval)
ORDER BY r.refund_id LIMIT $2"""
_RETURN_CHECKED = "UPDATE accounts.returns SET checked_at = now(), difference = $2 WHERE refund_id = $1"

# Holds made by versions that did not write the reference down can only be looked after by hand.
_OVERDUE = """
SELECT payment_id, bank_reference FROM accounts.holds
WHERE status = 'held' AND expires_at <= now() AND bank_reference IS NOT NULL
  AND (checked_at IS NULL OR checked_at < now() - $1::interval)
ORDER BY checked_at NULLS FIRST, expires_at LIMIT $2"""
_EXPIRE = "SELECT accounts.expire_hold($1)"


class Store:
    """The ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def transfer(self, t: TransferRequest, actor: str | None, traceparent: str | None) -> Record:
        """Post a payment or refund once: refusal | id, at. `actor`: the customer who asks, if one does."""
        return await self._one(
            _TRANSFER,
            t.kind,
            t.payment_id,
            t.refund_id,
            t.from_account,
            t.to_account,
            t.amount,
            t.currency,
            actor,
            traceparent,
            _latest(),
        )

    async def posted(self, payment_id: str) -> Record | None:
        """The transfer of a payment, None when it has not been posted (yet)."""
        return await self._database.fetchrow(_POSTED, payment_id)

    async def reserve(
        self, r: ReserveRequest, expires_in: timedelta, actor: str | None, traceparent: str | None
    ) -> Record:
        """Hold amount and fee once: refusal | id, status, expires_at."""
        return await self._one(
            _RESERVE,
            r.payment_id,
            r.account_number,
            r.amount,
            r.fee,
            r.currency,
            expires_in,
            actor,
            traceparent,
            r.bank_reference,
            _latest(),
        )

    async def post_hold(self, payment_id: str, bank_reference: str, traceparent: str | None) -> Record:
        """Turn a hold into postings once: refusal | id (of the hold), transfer_id, at."""
        return await self._one(_POST, payment_id, bank_reference, traceparent)

    async def void_hold(self, payment_id: str, traceparent: str | None) -> Record:
        """Give a hold back once: refusal | id, at."""
        return await self._one(_VOID, payment_id, traceparent)

    async def post_return(self, payment_id: str, r: ReturnRequest, traceparent: str | None) -> Record:
        """Give back what the bank has returned, once: refusal | id, at."""
        return await self._one(
            _RETURN, payment_id, r.refund_id, r.amount, r.currency, r.bank_reference, traceparent
        )

    async def validate(self, v: ValidateRequest) -> Record:
        """The payer's account (its columns are NULL when there is none) and why it cannot pay, if so."""
        return await self._one(_VALIDATE, v.customer_id, v.from_account, v.to_account, v.amount, v.currency)

    async def to_check(self, again_after: timedelta, limit: int) -> list[Record]:
        """Posted holds not yet compared with the bank's book, and those that differed, from time to time."""
        return await self._database.fetch(_TO_CHECK, again_after, limit)

    async def checked(self, payment_id: str, difference: str | None) -> None:
        """Note the outcome of a comparison."""
        await self._database.execute(_CHECKED, payment_id, difference)

    async def returns_to_check(self, again_after: timedelta, limit: int) -> list[Record]:
        """Posted returns not yet compared with the bank's book, and those that differed, now and then."""
        return await self._database.fetch(_RETURNS_TO_CHECK, again_after, limit)

    async def return_checked(self, refund_id: str, difference: str | None) -> None:
        """Note the outcome of a comparison."""
        await self._database.execute(_RETURN_CHECKED, refund_id, difference)

    async def overdue(self, again_after: timedelta, limit: int) -> list[Record]:
        """Holds past their time whose order the bank was not asked about lately."""
        return await self._database.fetch(_OVERDUE, again_after, limit)

    async def expire(self, payment_id: str) -> bool:
        """Give an overdue hold back; False when it was resolved meanwhile."""
        return bool(await self._database.fetchval(_EXPIRE, payment_id))

    async def ready(self) -> bool:
        """True when the database answers with the schema that this code needs."""
        return await self._database.ready(SCHEMA, REVISION)

    async def ping(self) -> None:
        """Raises Problem(service_unavailable) when the database does not answer."""
        await self._database.fetchval("SELECT 1", timeout=2)

    async def _one(self, sql: str, *args: object) -> Record:
        try:
            row = await self._database.fetchrow(sql, *args)
        except DivisionByZeroError as error:
            raise unavailable("The database") from error
        assert row is not None  # these statements always return one row
        return row


def _latest() -> datetime:
    """When the caller has surely given up; well before anybody else takes the payment over."""
    return utcnow() + timedelta(seconds=context.remaining(_PATIENCE)) + _SKEW
