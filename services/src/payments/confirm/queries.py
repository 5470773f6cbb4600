"""Reading payments. The owner is part of every predicate; `customer_id` None reads for staff."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from payments.common.db import Database
from payments.contracts.payment import PLATFORM_TYPES

_OWNED = "($2::text IS NULL OR customer_id = $2)"
_PAYMENT = f"""
    SELECT payments.document(payments)::text FROM payments.payments WHERE id = $1 AND {_OWNED}"""  # noqa: S608
_INSIDE = f"""
    SELECT payments.inside(payments)::text FROM payments.payments WHERE id = $1 AND {_OWNED}"""  # noqa: S608
_WORK = f"""
    SELECT payments.work(payments, payments.inside(payments))::text
    FROM payments.payments WHERE id = $1 AND {_OWNED}"""  # noqa: S608
_LIST = """
    SELECT {shape}::text FROM payments.payments
    WHERE {owned}
        AND ($3::text IS NULL OR status = $3)
        AND ($4::timestamptz IS NULL OR created_at >= $4)
        AND ($5::timestamptz IS NULL OR created_at <= $5)
        AND ($7::bigint IS NULL OR amount_minor >= $7)
        AND ($8::bigint IS NULL OR amount_minor <= $8)
        AND ($9::text IS NULL OR currency = $9)
        AND ($10::text IS NULL OR from_account = $10 OR to_account = $10)
        AND ($1::text IS NULL OR (created_at, id) < (SELECT created_at, id FROM payments.payments
                                                     WHERE id = $1 AND {owned}))
    ORDER BY created_at DESC, id DESC LIMIT $6"""
_LIST_DOCUMENTS = _LIST.format(shape="payments.document(payments)", owned=_OWNED)
_LIST_INSIDE = _LIST.format(shape="payments.inside(payments)", owned=_OWNED)
_EVENTS = f"""
    SELECT event_id, type, payload, created_at FROM payments.outbox
    WHERE key = $1 AND topic = 'payment-events' AND ($3 OR type <> ALL ($4))
        AND EXISTS (SELECT FROM payments.payments WHERE id = $1 AND {_OWNED})
    ORDER BY id LIMIT 1000"""  # noqa: S608
_REFUND = f"""
    SELECT payments.refund_document(refunds)::text FROM payments.refunds WHERE id = $1 AND {_OWNED}"""  # noqa: S608
_NOTE_OTP = """
    UPDATE payments.payments
    SET next_action = next_action || jsonb_build_object('expires_at', $2::text), updated_at = now()
    WHERE id = $1 AND status = 'requires_action' RETURNING payments.document(payments)::text"""


class Filter(NamedTuple):
    """Which payments a list shows.

    Args:
        after: id of the last one seen.
        amount_gte, amount_lte: minor units, whatever the currency.
        account: payer's or payee's.
        customer: only staff may name one.
    """

    limit: int
    after: str | None = None
    status: str | None = None
    created_gte: datetime | None = None
    created_lte: datetime | None = None
    amount_gte: int | None = None
    amount_lte: int | None = None
    currency: str | None = None
    account: str | None = None
    customer: str | None = None


class PaymentEvent(msgspec.Struct):
    """One line of a payment's history."""

    id: str
    type: str
    payment: str
    status: str
    created_at: datetime
    object: str = "event"
    data: dict[str, Any] | None = None


class Queries:
    """Payments, refunds and histories as JSON documents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def payment(self, payment_id: str, customer_id: str | None) -> str | None:
        """A payment, None when there is none of this customer."""
        found: str | None = await self._database.fetchval(_PAYMENT, payment_id, customer_id)
        return found

    async def inside(self, payment_id: str) -> str | None:
        """A payment with its assessment, for staff."""
        found: str | None = await self._database.fetchval(_INSIDE, payment_id, None)
        return found

    async def work(self, payment_id: str, customer_id: str | None) -> str | None:
        """A payment as the orchestration needs it."""
        found: str | None = await self._database.fetchval(_WORK, payment_id, customer_id)
        return found

    async def payments(self, customer_id: str | None, wanted: Filter, *, inside: bool = False) -> bytes:
        """A page, newest first: {object: list, data, has_more}."""
        rows = await self._database.fetch(
            _LIST_INSIDE if inside else _LIST_DOCUMENTS,
            wanted.after,
            customer_id or wanted.customer,
            wanted.status,
            wanted.created_gte,
            wanted.created_lte,
            wanted.limit + 1,
            wanted.amount_gte,
            wanted.amount_lte,
            wanted.currency,
            wanted.account,
        )
        data = [msgspec.Raw(row[0].encode()) for row in rows[: wanted.limit]]
        return msgspec.json.encode({"object": "list", "data": data, "has_more": len(rows) > wanted.limit})

    async def events(self, payment_id: str, customer_id: str | None, *, inside: bool) -> bytes | None:
        """The history, oldest first; None when there is no such payment. Staff see each event's data."""
        rows = await self._database.fetch(_EVENTS, payment_id, customer_id, inside, PLATFORM_TYPES)
        if not rows and await self.payment(payment_id, customer_id) is None:
            return None
        data = []
        for row in rows:
            payload = msgspec.json.decode(row["payload"])
            data.append(
                PaymentEvent(
                    row["event_id"],
                    row["type"],
                    payment_id,
                    payload["status"],
                    row["created_at"],
                    data=payload if inside else None,
                )
            )
        return msgspec.json.encode({"object": "list", "data": data, "has_more": False})

    async def refund(self, refund_id: str, customer_id: str | None) -> str | None:
        """A refund, None when there is none of this customer."""
        found: str | None = await self._database.fetchval(_REFUND, refund_id, customer_id)
        return found

    async def note_otp(self, payment_id: str, expires_at: str | None) -> str | None:
        """Note how long the new password is good; None when the payment does not wait for one any more."""
        found: str | None = await self._database.fetchval(_NOTE_OTP, payment_id, expires_at)
        return found
