"""Reading requests: who asks, by which key, for what."""

import re
from datetime import datetime

from starlette.responses import Response

from payments.common.auth import Actor
from payments.common.errors import Problem
from payments.common.routes import B, Call, reply
from payments.confirm import idempotency
from payments.confirm.domain import Status
from payments.confirm.idempotency import Key
from payments.confirm.queries import Filter

_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
STAFF = ("operator", "auditor")  # they see all payments, with what was found about them


def customer(call: Call[B]) -> str:
    """The customer who asks. Raises Problem(unauthenticated | forbidden)."""
    found = call.required_actor("customer").customer_id
    if not found:
        raise Problem("forbidden")
    return found


def scope(actor: Actor) -> str | None:
    """The customer whose payments the actor may see; None for staff, who see all."""
    if actor.role in STAFF:
        return None
    if not actor.customer_id:
        raise Problem("forbidden")
    return actor.customer_id


def key_owner(actor: Actor) -> str:
    """Whose idempotency keys these are; staff's cannot collide with a customer's."""
    return actor.customer_id if actor.role == "customer" else f"user:{actor.user_id}"


def key(call: Call[B], route: str, owner: str) -> Key:
    """The request's idempotency key. Raises Problem."""
    return idempotency.read(call.request, route, owner, call.raw)


def is_id(text: str) -> bool:
    """Whether it could be the id of anything."""
    return _ID.fullmatch(text) is not None


def resource_id(call: Call[B], code: str = "payment_not_found") -> str:
    """The id in the path. Raises Problem(code)."""
    given = call.path("id")
    if not is_id(given):
        raise Problem(code)
    return given


def found(document: str | None) -> Response:
    """The payment as a response. Raises Problem(payment_not_found)."""
    if document is None:
        raise Problem("payment_not_found")
    return reply(document.encode())


def list_filter(call: Call[None]) -> Filter:
    """Query parameters of a list. Raises Problem(validation_failed) naming each wrong one."""
    given = call.request.query_params
    errors = []
    limit = given.get("limit", "20")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 5 and 1 <= int(limit) <= 100):
        errors.append({"field": "limit", "message": "must be from 1 to 100"})
    status = given.get("status")
    if status is not None and status not in tuple(Status):
        errors.append({"field": "status", "message": f"must be one of {', '.join(Status)}"})
    after = given.get("starting_after")
    if after is not None and not is_id(after):
        errors.append({"field": "starting_after", "message": "must be the id of a payment"})
    moments: dict[str, datetime | None] = {}
    for name in ("created_gte", "created_lte"):
        try:
            moments[name] = _moment(given.get(name))
        except ValueError:
            errors.append({"field": name, "message": "must be an RFC 3339 time with a zone"})
    if errors:
        raise Problem("validation_failed", errors=errors)
    return Filter(int(limit), after, status, moments["created_gte"], moments["created_lte"])


def _moment(text: str | None) -> datetime | None:
    """An RFC 3339 time. Raises ValueError."""
    if text is None:
        return None
    # A plus sign that was not escaped in the query arrives as a space.
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    if moment.tzinfo is None:
        raise ValueError("without a zone")
    return moment
