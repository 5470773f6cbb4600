"""Statements of an account in the words of ISO 20022's camt.053, as JSON or CSV. No I/O."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from asyncpg import Record

from payments.common.clock import rfc3339
from payments.common.money import to_decimal

LONGEST = timedelta(days=366)
FIRST_DAY = date(2000, 1, 1)
COLUMNS = (
    "type",
    "id",
    "booked_at",
    "credit_debit",
    "amount",
    "currency",
    "balance",
    "kind",
    "counterparty",
    "payment_id",
    "refund_id",
    "transfer_id",
)


class PeriodError(ValueError):
    """No period to make a statement of; `field` and `args[0]` say why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Period:
    """Days in UTC, the first and the last one included."""

    first: date
    last: date

    @property
    def begins(self) -> datetime:
        """The first moment of the period."""
        return datetime.combine(self.first, datetime.min.time(), UTC)

    @property
    def ends(self) -> datetime:
        """The first moment after the period."""
        return datetime.combine(self.last, datetime.min.time(), UTC) + timedelta(days=1)


def period(first: date | None, last: date | None, today: date) -> Period:
    """The period asked for; until today, from the first of the month when nothing is said.

    Raises:
        PeriodError: it ends before it begins, in the future, or is longer than 366 days.
    """
    last = last or today
    if last > today:
        raise PeriodError("to", "is in the future")
    first = first or last.replace(day=1)
    if first < FIRST_DAY:
        raise PeriodError("from", f"must not be before {FIRST_DAY}")
    if first > last:
        raise PeriodError("from", "must not be after `to`")
    if last - first >= LONGEST:
        raise PeriodError("from", f"must be within {LONGEST.days} days of `to`")
    return Period(first, last)


def statement(rows: Sequence[Record], wanted: Period, now: datetime, limit: int) -> dict[str, Any]:
    """A statement, or the page of one with `limit` entries; one more row tells that there are more.

    Args:
        rows: of `Queries.statement`: one for each entry, or a single one without.
    """
    head = rows[0]
    entries = [_entry(row) for row in rows if row["id"] is not None]
    opening, credits, debits = head["opening"], head["credits"], head["debits"]
    return {
        "object": "statement",
        "account_number": head["account_number"],
        "customer_id": head["customer_id"],
        "currency": head["currency"],
        "from": wanted.first.isoformat(),
        "to": wanted.last.isoformat(),
        "created_at": rfc3339(now),
        "opening_balance": {"type": "OPBD", "amount": opening, "date": wanted.first.isoformat()},
        "closing_balance": {
            # Closing, or interim while the period's last day goes on.
            "type": "CLBD" if now >= wanted.ends else "ITBD",
            "amount": opening + credits - debits,
            "date": wanted.last.isoformat(),
        },
        "totals": {
            "entries": head["credit_count"] + head["debit_count"],
            "credits": {"count": head["credit_count"], "amount": credits},
            "debits": {"count": head["debit_count"], "amount": debits},
        },
        "data": entries[:limit],
        "has_more": len(entries) > limit,
    }


def as_csv(made: dict[str, Any], *, first_page: bool) -> str:
    """The same as CSV (RFC 4180), amounts as decimals: OPBD, an NTRY for each entry, CLBD or ITBD."""
    currency = made["currency"]
    text = io.StringIO()
    lines = csv.DictWriter(text, COLUMNS, restval="")
    lines.writeheader()
    if first_page:
        lines.writerow(_balance(made["opening_balance"], currency))
    for entry in made["data"]:
        line = {name: entry[name] for name in COLUMNS if name in entry}
        amounts = {
            "amount": to_decimal(entry["amount"], currency),
            "balance": to_decimal(entry["balance_after"], currency),
        }
        lines.writerow(line | amounts | {"type": "NTRY"})
    if not made["has_more"]:
        lines.writerow(_balance(made["closing_balance"], currency))
    return text.getvalue()


def _entry(row: Record) -> dict[str, Any]:
    return {
        "object": "statement_entry",
        "id": str(row["id"]),
        "booked_at": rfc3339(row["created_at"]),
        "credit_debit": "CRDT" if row["amount_minor"] > 0 else "DBIT",
        "amount": abs(row["amount_minor"]),
        "currency": row["currency"],
        "balance_after": row["balance_after"],
        "kind": row["kind"],
        "counterparty": row["counterparty"],
        "payment_id": row["payment_id"] if row["kind"] != "opening" else None,
        "refund_id": row["refund_id"],
        "transfer_id": row["transfer_id"],
    }


def _balance(told: dict[str, Any], currency: str) -> dict[str, Any]:
    return {
        "type": told["type"],
        "booked_at": told["date"],
        "currency": currency,
        "balance": to_decimal(told["amount"], currency),
    }
