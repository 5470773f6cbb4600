"""A finished payment as a point of InfluxDB, in line protocol. Standard library only.

    payment,currency=USD,risk_level=LOW,status=succeeded amount=1500i,latency_ms=31i,payment_id="…" <time>

The time is that of the event in milliseconds; the nanoseconds below are the last six digits of the event's
place in the chain. So no two payments share a point, and the same event always makes the same one.
`latency_ms` is from the beginning of the last attempt to its end; there is none when a payment ended while it
waited for somebody (canceled, or rejected by an operator).
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from payments.audit.domain import Entry

SOURCE = "confirm-service"
MEASUREMENT = "payment"
#: A payment ends once, by one of these.
FINISHED = {
    "payment.succeeded": "succeeded",
    "payment.failed": "failed",
    "payment.canceled": "canceled",
}
NONE = "none"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_WORD = re.compile(r"[A-Za-z0-9_-]{1,32}")
_MAX_INTEGER = 2**63 - 1


def finishes(entry: Entry) -> bool:
    """Whether the entry tells of the end of a payment."""
    fact = entry.fact
    return fact.type in FINISHED and fact.source == SOURCE and fact.payment_id is not None


def line(entry: Entry, began: datetime | None) -> str:
    """The point of an entry that `finishes`; `began`: when the attempt did that ended so."""
    fact = entry.fact
    try:
        data = json.loads(fact.payload)
    except (RecursionError, ValueError):
        data = None
    data = data if isinstance(data, dict) else {}
    assessment = data.get("assessment")
    public = assessment.get("public") if isinstance(assessment, dict) else None
    level = public.get("level") if isinstance(public, dict) else None
    tags = {
        "currency": _word(data.get("currency")),
        "risk_level": _word(level),
        "status": FINISHED[fact.type],
    }
    fields = {"amount": _integer(data.get("amount"))}
    if began is not None:
        fields["latency_ms"] = _integer((fact.time - began) // _MILLISECOND)
    fields["payment_id"] = _text(fact.payment_id or "")
    keys = ",".join([MEASUREMENT, *(f"{name}={value}" for name, value in tags.items())])
    values = ",".join(f"{name}={value}" for name, value in fields.items() if value)
    return f"{keys} {values} {nanoseconds(entry)}"


def nanoseconds(entry: Entry) -> int:
    """The point's time, since 1970."""
    return (entry.fact.time - _EPOCH) // _MILLISECOND * 1_000_000 + entry.seq % 1_000_000


def _word(value: Any) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else NONE


def _integer(value: Any) -> str:
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_INTEGER
    return f"{value}i" if whole else ""


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
