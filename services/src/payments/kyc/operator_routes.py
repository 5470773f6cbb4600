"""Routes of kyc-service for operators: customers, and the decisions about them."""

from datetime import date, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from starlette.routing import Route

from payments.common.clock import utcnow
from payments.common.errors import Problem
from payments.common.routes import B, Call, field_error, get, post, reply
from payments.kyc.decision_store import DecisionStore, Order
from payments.kyc.domain import Customer, Kind, Level, Status, Verdict

T = TypeVar("T")
READERS = ("operator", "auditor")

_Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._:-]{1,128}\Z")]
_Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]


class DecisionRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A decision; `level` stays as it is when none is given, `documents_expire_on` goes with an approval."""

    decision: Verdict
    reason: Annotated[str, msgspec.Meta(max_length=500, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]
    level: Level | None = None
    documents_expire_on: date | None = None


class CustomerDocument(msgspec.Struct, kw_only=True):
    """A customer as operators see them: no addresses."""

    object: str = "kyc_customer"
    id: str
    verified: bool
    status: Status
    level: str | None
    kind: Kind | None
    name: str | None
    country: str | None
    date_of_birth: date | None
    documents_expire_on: date | None
    version: int
    updated_at: datetime


class _Page(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    limit: _Limit = 20
    starting_after: _Id | None = None


class _Customers(_Page):
    status: Status | None = None


class OperatorRoutes:
    """The handlers. Each asks for the person behind the call: operators decide, auditors may look."""

    def __init__(self, store: DecisionStore) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """All routes for operators."""
        return [
            get("/v1/kyc/customers", self.customers),
            get("/v1/kyc/customers/{id}", self.customer),
            get("/v1/kyc/customers/{id}/decisions", self.history),
            post("/v1/kyc/customers/{id}/decisions", DecisionRequest, self.decide),
        ]

    async def customers(self, call: Call[None]) -> Any:
        """A page of customers."""
        call.required_actor(*READERS)
        asked = query(call, _Customers)
        found = await self._store.page(asked.status, asked.starting_after, asked.limit + 1)
        shown = [_shown(*item) for item in found[: asked.limit]]
        return {"object": "list", "data": shown, "has_more": len(found) > asked.limit}

    async def customer(self, call: Call[None]) -> Any:
        """One customer."""
        call.required_actor(*READERS)
        return _shown(*await self._store.get(call.path("id")))

    async def history(self, call: Call[None]) -> Any:
        """A page of the decisions about a customer."""
        call.required_actor(*READERS)
        asked = query(call, _Page)
        await self._store.get(call.path("id"))
        found = await self._store.history(call.path("id"), asked.starting_after, asked.limit + 1)
        return {"object": "list", "data": found[: asked.limit], "has_more": len(found) > asked.limit}

    async def decide(self, call: Call[DecisionRequest]) -> Any:
        """Approve, reject or ask for documents. 201 with the decision."""
        actor = call.required_actor("operator")
        asked = call.body
        _check(asked)
        key = call.request.headers.get("idempotency-key")
        if not key:
            raise Problem("missing_idempotency_key")
        order = Order(
            customer_id=call.path("id"),
            verdict=asked.decision,
            reason=asked.reason,
            level=asked.level,
            documents_expire_on=asked.documents_expire_on,
            made_by=actor.user_id,
            request_key=f"{actor.user_id}:{key}",
        )
        made, replayed = await self._store.decide(order)
        return reply(made, 201, {"Idempotent-Replayed": "true"} if replayed else None)


def query(call: Call[B], kind: type[T]) -> T:
    """The query as `kind`. Raises Problem(validation_failed)."""
    try:
        return msgspec.convert(dict(call.request.query_params), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Problem("validation_failed", errors=[field_error(error)]) from error


def _check(asked: DecisionRequest) -> None:
    errors = []
    if not asked.reason.strip():
        errors.append({"field": "reason", "message": "is required"})
    if asked.documents_expire_on is not None:
        if asked.decision != "approve":
            errors.append({"field": "documents_expire_on", "message": "goes with an approval only"})
        elif asked.documents_expire_on < utcnow().date():
            errors.append({"field": "documents_expire_on", "message": "is in the past"})
    if errors:
        raise Problem("validation_failed", errors=errors)


def _shown(customer: Customer, changed: datetime) -> CustomerDocument:
    today = utcnow().date()
    return CustomerDocument(
        id=customer.customer_id,
        verified=customer.verified(today),
        status=customer.status_on(today),
        level=customer.level,
        kind=customer.kind,
        name=customer.name,
        country=customer.country,
        date_of_birth=customer.date_of_birth,
        documents_expire_on=customer.documents_expire_on,
        version=customer.version,
        updated_at=changed,
    )
