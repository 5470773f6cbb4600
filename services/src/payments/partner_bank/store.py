"""Reads and writes the schema `bank`. Every call raises Problem(service_unavailable) while it is away."""

from datetime import timedelta

from asyncpg import Record

from payments.common.db import Database
from payments.partner_bank.domain import SETTLEMENT, Entry, Order, Return, ReturnEntry
from payments.partner_bank.faults import Fault, FaultPlan, OrderKind

SCHEMA = "bank"
REVISION = "0002"

_ACCEPT = "SELECT * FROM bank.accept($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
_FIND = "SELECT * FROM bank.transfers WHERE reference = $1"
_FIND_BY_NUMBER = "SELECT * FROM bank.transfers WHERE reference_number = $1"
_CANCEL = "SELECT * FROM bank.cancel($1)"
_ACCEPT_RETURN = "SELECT * FROM bank.accept_return($1, $2, $3, $4, $5, $6, $7, $8)"
_FIND_RETURN = "SELECT * FROM bank.returns WHERE reference = $1"
_ASK_FAULT = """
INSERT INTO bank.faults
    (fault, seconds, remaining, order_kind, reference, reference_prefix, probability, seed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""
_CLEAR_FAULTS = "UPDATE bank.faults SET remaining = 0 WHERE remaining > 0"
_TAKE_FAULT = "SELECT o_fault, o_seconds FROM bank.take_fault($1, $2)"


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

    async def cancel(self, reference: str) -> Entry | None:
        """The order with this reference; without one, none will be taken from now on."""
        row = await self._database.fetchrow(_CANCEL, reference)
        return None if row is None else _entry(row)

    async def accept_return(
        self, order: Return, *, number: str, declined: str | None, delay: timedelta
    ) -> ReturnEntry:
        """Enter and decide the return once; a known reference returns the first entry, whatever it says."""
        row = await self._database.fetchrow(
            _ACCEPT_RETURN,
            order.reference,
            number,
            order.original_reference,
            order.amount,
            order.currency,
            order.reason,
            declined,
            delay,
        )
        assert row is not None  # the function always returns one row
        return _return_entry(row)

    async def find_return(self, reference: str) -> ReturnEntry | None:
        """The return with the asker's reference."""
        row = await self._database.fetchrow(_FIND_RETURN, reference)
        return None if row is None else _return_entry(row)

    async def ask_fault(self, plan: FaultPlan) -> None:
        """Show a fault to the orders of the plan."""
        await self._database.execute(
            _ASK_FAULT,
            plan.fault,
            plan.seconds,
            plan.count,
            plan.order,
            plan.reference,
            plan.reference_prefix,
            plan.probability,
            plan.seed,
        )

    async def clear_faults(self) -> None:
        """Show no fault any more."""
        await self._database.execute(_CLEAR_FAULTS)

    async def take_fault(self, kind: OrderKind, reference: str) -> Fault | None:
        """The fault to show for this order, counted down."""
        row = await self._database.fetchrow(_TAKE_FAULT, kind, reference)
        assert row is not None  # the function always returns one row
        return None if row["o_fault"] is None else Fault(row["o_fault"], row["o_seconds"])

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


def _return_entry(row: Record) -> ReturnEntry:
    order = Return(
        reference=row["reference"],
        original_reference=row["original_reference"],
        amount=row["amount_minor"],
        currency=row["currency"],
        reason=row["reason"],
    )
    return ReturnEntry(
        order=order,
        reference_number=row["reference_number"],
        error_code=row["error_code"],
        received_at=row["received_at"],
        completes_at=row["completes_at"],
    )
