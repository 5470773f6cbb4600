"""Reading requests: who asks, by which key, for what."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from starlette.responses import Response

from payments.common.auth import Actor
from payments.common.errors import Problem
from payments.common.money import MAX_MINOR, exponent
from payments.common.routes import B, Call, reply
from payments.confirm import idempotency
from payments.confirm.domain import Status
from payments.confirm.idempotency import Key
from payments.confirm.queries import Filter

T = TypeVar("T")

_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_TIME = "must be an RFC 3339 time with a zone"
_MINOR = "must be a whole number of minor units"
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
    given, errors = call.request.query_params, Errors()
    limit = errors.check("limit", given.get("limit", "20"), _page_size, "must be from 1 to 100")
    wanted = Filter(
        limit or 20,
        after=errors.check("starting_after", given.get("starting_after"), _id, "must be the id of a payment"),
        status=errors.check("status", given.get("status"), _status, f"must be one of {', '.join(Status)}"),
        account=errors.check("account", given.get("account"), _id, "must be an account number"),
        currency=errors.check("currency", given.get("currency"), _currency, "must be an ISO 4217 code"),
        customer=errors.check("customer_id", given.get("customer_id"), _id, "must be the id of a customer"),
        created_gte=errors.check("created_gte", given.get("created_gte"), _moment, _TIME),
        created_lte=errors.check("created_lte", given.get("created_lte"), _moment, _TIME),
        amount_gte=errors.check("amount_gte", given.get("amount_gte"), _minor, _MINOR),
        amount_lte=errors.check("amount_lte", given.get("amount_lte"), _minor, _MINOR),
    )
    actor = call.required_actor()
    if wanted.customer is not None and actor.role not in STAFF and wanted.customer != actor.customer_id:
        errors.append({"field": "customer_id", "message": "must be your own, or left out"})
    if errors:
        raise Problem("validation_failed", errors=errors)
    return wanted


class Errors(list[dict[str, str]]):
    """What is wrong with a request, field by field."""

    def check(self, field: str, text: str | None, parse: Callable[[str], T], message: str) -> T | None:
        """The parsed text; None when there is none, or when it is wrong, which is noted."""
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError:
            self.append({"field": field, "message": message})
            return None


def _page_size(text: str) -> int:
    size = _whole(text)
    if not 1 <= size <= 100:
        raise ValueError("out of range")
    return size


def _minor(text: str) -> int:
    amount = _whole(text)
    if amount > MAX_MINOR:
        raise ValueError("out of range")
    return amount


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 13):
        raise ValueError("no whole number")
    return int(text)


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError("no id")
    return text


def _currency(text: str) -> str:
    exponent(text)
    return text


def _status(text: str) -> str:
    return Status(text)


def _moment(text: str) -> datetime:
    """An RFC 3339 time. Raises ValueError."""
    # A plus sign that was not escaped in the query arrives as a space.
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    if moment.tzinfo is None:
        raise ValueError("without a zone")
    return moment
