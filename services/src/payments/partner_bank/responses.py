"""What the bank answers, rightly and, on request, wrongly."""

from datetime import datetime
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from payments.common.clock import rfc3339
from payments.partner_bank.domain import CANCELED, MESSAGES, Entry, ReturnEntry


def outcome(entry: Entry, now: datetime) -> dict[str, Any]:
    """An entry of the book; amounts are integer minor units of `currency`."""
    status = entry.status(now)
    accepted = entry.error_code is None
    return {
        "success": status == "COMPLETED",
        "reference": entry.order.reference,
        "reference_number": entry.reference_number,
        "status": status,
        "amount": entry.order.amount,
        "processed_amount": entry.order.amount if status == "COMPLETED" else 0,
        "processing_fee": entry.fee,
        "currency": entry.order.currency,
        "estimated_settlement": rfc3339(entry.estimated_settlement) if accepted else None,
        "error_code": entry.error_code if status == "REJECTED" else None,
        "message": MESSAGES.get(entry.error_code or "") if status == "REJECTED" else None,
    }


def returned(entry: ReturnEntry, now: datetime) -> dict[str, Any]:
    """A return in the book; amounts are integer minor units of `currency`."""
    status = entry.status(now)
    rejected = status == "REJECTED"
    return {
        "success": status == "COMPLETED",
        "reference": entry.order.reference,
        "original_reference": entry.order.original_reference,
        "reference_number": entry.reference_number,
        "status": status,
        "amount": entry.order.amount,
        "returned_amount": entry.order.amount if status == "COMPLETED" else 0,
        "currency": entry.order.currency,
        "reason": entry.order.reason,
        "error_code": entry.error_code if rejected else None,
        "message": MESSAGES.get(entry.error_code or "") if rejected else None,
    }


def canceled(reference: str) -> dict[str, Any]:
    """An order that has not come in and never will be taken."""
    return {
        "success": False,
        "reference": reference,
        "reference_number": None,
        "status": "REJECTED",
        "error_code": CANCELED,
        "message": MESSAGES[CANCELED],
    }


class Broken(Response):
    """The head of an answer; then the connection closes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"512")]
        # The server closes a connection whose response does not become complete.
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def unreadable(answer: dict[str, Any]) -> Response:
    """Half of the JSON document."""
    body = msgspec.json.encode(answer)
    return Response(body[: len(body) // 2], media_type="application/json")
