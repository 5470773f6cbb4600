"""Reads and writes the schema `bank`. Every call raises Problem(service_unavailable) while it is away."""

from datetime import timedelta

from asyncpg import Record

from payments.common.db import Database
from payments.partner_bank.domain import SETTLEMENT, Entry, Order
from payments.partner_bank.faults import Fault

SCHEMA = "bank"
REVISION = "0001"

_ACCEPT = "SELECT * FROM bank.accept($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
_FIND = "SELECT * FROM bank.transfers WHERE reference = $1"
_FIND_BY_NUMBER = "SELECT * FROM bank.transfers WHERE reference_number = $1"
_ASK_FAULT = "INSERT INTO bank.faults (fault, seconds, reference, remaining) VALUES ($1, $2, $3, $4)"
_CLEAR_FAULTS = "UPDATE bank.faults SET remaining = 0 WHERE remaining > 0"
_TAKE_FAULT = """
UPDATE bank.faults SET remaining = remaining - 1
WHERE id = (SELECT id FROM bank.faults WHERE remaining > 0 AND (reference IS NULL OR reference = $1)
            ORDER BY id LIMIT 1 FOR UPDATE)
RETURNING fault, seconds"""


class Store:
    """The bank's book."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(
        self, order: Order, *, number: str, fee: int, error_code: str | None, delay: timedelta
    ) -> Entry:
        """Enter the order once; a known reference returns the first entry, whatever it says."""
        row = await self._database.fetchrow(
            _ACCEPT,
            order.reference,
            number,
            order.from_account,
            order.to_account,
            order.to_name,
            order.routing_number,
            order.amount,
            order.currency,
            fee,
            error_code,
            delay,
            SETTLEMENT,
        )
        assert row is not None  # the function always returns one row
        return _entry(row)

    async def find(self, reference: str) -> Entry | None:
        """The entry with the sender's reference, or else with the bank's own number."""
        row = await self._database.fetchrow(_FIND, reference)
        if row is None and reference.startswith("BNK"):
            row = await self._database.fetchrow(_FIND_BY_NUMBER, reference)
        return None if row is None else _entry(row)

    async def ask_fault(self, fault: Fault, *, count: int, reference: str | None) -> None:
        """Show `fault` for the next `count` orders, or for those of one reference."""
        await self._database.execute(_ASK_FAULT, fault.name, fault.seconds, reference, count)

    async def clear_faults(self) -> None:
        """Show no fault any more."""
        await self._database.execute(_CLEAR_FAULTS)

    async def take_fault(self, reference: str) -> Fault | None:
        """The fault to show for this order, counted down."""
        row = await self._database.fetchrow(_TAKE_FAULT, reference)
        return None if row is None else Fault(row["fault"], row["seconds"])

    async def ready(self) -> bool:
        """True when the database answers with the schema that this code needs."""
        return await self._database.ready(SCHEMA, REVISION)

    async def ping(self) -> None:
        """Raises Problem(service_unavailable) when the database does not answer."""
        await self._database.fetchval("SELECT 1", timeout=2)


def _entry(row: Record) -> Entry:
    order = Order(
        reference=row["reference"],
        from_account=row["from_account"],
        to_account=row["to_account"],
        to_name=row["to_name"],
        routing_number=row["routing_number"],
        amount=row["amount_minor"],
        currency=row["currency"],
    )
    return Entry(
        order=order,
        reference_number=row["reference_number"],
        fee=row["fee_minor"],
        error_code=row["error_code"],
        received_at=row["received_at"],
        completes_at=row["completes_at"],
        estimated_settlement=row["estimated_settlement"],
    )
