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
from payments.kyc.store import Contact, Store

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
            get("/version", self.version),
        ]

    async def check_status(self, call: Call[StatusRequest]) -> StatusReply:
        """Unknown customers are answered, too: they are not verified."""
        customer_id = call.body.customer_id
        call.act_for(customer_id)
        customer = await self._store.find(customer_id) or unknown(customer_id)
        return StatusReply(
            customer_id=customer.customer_id,
            verified=customer.verified(utcnow().date()),
            status=customer.status,
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

    async def version(self, _: Call[None]) -> VersionReply:
        """Whoever caches answers compares this number."""
        return VersionReply(await self._store.version())
