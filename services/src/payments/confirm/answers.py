"""Answers, in the two shapes that there are: /v1's and the original route's.

A payment that has succeeded is rendered by the database (`payments.success`), together with its end.
"""

from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response

from payments.common.errors import Problem

ORIGINAL_ROUTE = "POST /payment/confirm"
CONFIRM_ROUTE = "POST /v1/payments/{id}/confirm"

_MESSAGES = {
    "requires_action": ("OTP_REQUIRED", "OTP verification required"),
    "requires_review": ("REVIEW_REQUIRED", "The payment is being reviewed"),
    "processing": ("PROCESSING", "The payment is being processed; ask for its status"),
}
_ACCEPTED = {"requires_review": 202, "processing": 202}


class Answer(NamedTuple):
    """An answer as it is sent, and kept when it is final."""

    status: int
    body: bytes
    location: str | None = None
    replayed: bool = False
    retry_after: int | None = None

    def response(self) -> Response:
        """The answer as an HTTP response. A body is a problem exactly when the status says so."""
        headers = {}
        if self.location is not None:
            headers["Location"] = self.location
        if self.replayed:
            headers["Idempotent-Replayed"] = "true"
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        kind = "application/problem+json" if self.status >= 400 else "application/json"
        return Response(self.body, self.status, headers, kind)


def url(payment_id: str) -> str:
    """Where the payment's state can be asked for."""
    return f"/v1/payments/{payment_id}"


def instance(route: str, payment_id: str) -> str:
    """The path that `route` has for this payment; it names the occurrence of a problem."""
    return route.partition(" ")[2].replace("{id}", payment_id)


def current(route: str, document: str, status: str, payment_id: str) -> Answer:
    """The answer about a payment that has not come to its end (or was ended by somebody else).

    Args:
        document: the payment as everybody sees it.
        status: its state.
    """
    body = document.encode()
    if route == ORIGINAL_ROUTE and status in _MESSAGES:
        word, message = _MESSAGES[status]
        told = {"status": word, "message": message, "transaction_id": payment_id}
        if status in _ACCEPTED:
            told["status_url"] = url(payment_id)
        body = msgspec.json.encode(told)
    code = _ACCEPTED.get(status, 200)
    return Answer(
        code,
        body,
        location=url(payment_id) if code == 202 else None,
        retry_after=2 if status == "processing" else None,
    )


def otp_problem(route: str, reason: str, tries_left: int | None) -> Problem:
    """Why a one-time password was not accepted: `invalid`, or one that needs a new password."""
    again = reason == "invalid" and tries_left != 0
    detail = (
        "The one-time password is wrong"
        if again
        else "The one-time password is exhausted or expired; ask for a new one"
    )
    members: dict[str, Any] = {} if tries_left is None else {"tries_left": tries_left}
    if route == ORIGINAL_ROUTE:
        return Problem("invalid_otp", detail, members=members)
    if again:
        return Problem(
            "otp_invalid", detail, errors=[{"field": "otp", "message": "is wrong"}], members=members
        )
    return Problem("otp_restart", detail, members=members)


def illegal(document: str) -> Problem:
    """409 with the payment, whose state does not allow what was asked."""
    status = msgspec.json.decode(document)["status"]
    members = {"payment": msgspec.Raw(document.encode())}
    if status == "succeeded":
        return Problem("already_succeeded", members=members)
    return Problem(
        "illegal_state",
        f"The payment is {status}",
        members=members,
        retry_after=1 if status == "processing" else None,
    )
