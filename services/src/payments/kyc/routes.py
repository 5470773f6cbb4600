"""Routes of kyc-service."""

import re
from datetime import date
from typing import Annotated

import msgspec
from starlette.routing import Route

from payments.common.clock import utcnow
from payments.common.errors import Problem
from payments.common.routes import Call, get, post
from payments.kyc.domain import Kind, Status, unknown
from payments.kyc.store import Contact, Store, Subject

CUSTOMER_ID = r"^[A-Za-z0-9._:-]{1,128}\Z"


class StatusRequest(msgspec.Struct):
    """Whose verification is asked for."""

    customer_id: Annotated[str, msgspec.Meta(pattern=CUSTOMER_ID)]


class StatusReply(msgspec.Struct):
    """A customer's verification, and what screening needs to know of them."""

    customer_id: str
    verified: bool
    status: Status
    level: str | None
    kind: Kind | None
    name: str | None
    country: str | None
    date_of_birth: date | None
    documents_expire_on: date | None
    version: int


class SubjectsReply(msgspec.Struct):
    """A page of customers in order of their ids; go on after the last one."""

    customers: list[Subject]
    has_more: bool


class VersionReply(msgspec.Struct):
    """The number of the last change to any customer."""

    version: int


class Routes:
    """The handlers, over a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """All routes of the service."""
        return [
            post("/check-status", StatusRequest, self.check_status),
            get("/customers/{customer_id}/contact", self.contact),
            get("/customers", self.subjects),
            get("/version", self.version),
        ]

    async def check_status(self, call: Call[StatusRequest]) -> StatusReply:
        """Unknown customers are answered, too: they are not verified."""
        customer_id = call.body.customer_id
        call.act_for(customer_id)
        customer = await self._store.find(customer_id) or unknown(customer_id)
        today = utcnow().date()
        return StatusReply(
            customer_id=customer.customer_id,
            verified=customer.verified(today),
            status=customer.status_on(today),
            level=customer.level,
            kind=customer.kind,
            name=customer.name,
            country=customer.country,
            date_of_birth=customer.date_of_birth,
            documents_expire_on=customer.documents_expire_on,
            version=customer.version,
        )

    async def contact(self, call: Call[None]) -> Contact:
        """Addresses are for those who write to customers, and for nobody else."""
        if call.caller != "notification-service":
            raise Problem("caller_not_allowed")
        customer_id = call.path("customer_id")
        call.act_for(customer_id)
        contact = await self._store.contact(customer_id) if re.search(CUSTOMER_ID, customer_id) else None
        if contact is None:
            raise Problem("not_found", "There is no such customer")
        return contact

    async def subjects(self, call: Call[None]) -> SubjectsReply:
        """All customers page by page, for screening them again and for nothing else."""
        if call.caller != "ofac-service":
            raise Problem("caller_not_allowed")
        given = call.request.query_params
        after, limit = given.get("starting_after", ""), given.get("limit", "100")
        if "\0" in after or not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:6]) <= 1000):
            errors = [{"field": "limit", "message": "must be from 1 to 1000"}]
            raise Problem("validation_failed", errors=errors)
        found = await self._store.subjects(after, int(limit) + 1)
        return SubjectsReply(found[: int(limit)], len(found) > int(limit))

    async def version(self, _: Call[None]) -> VersionReply:
        """Whoever caches answers compares this number."""
        return VersionReply(await self._store.version())
