"""What the public API answers: written by the gateway itself, or, of the services behind, documented here."""

from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

T = TypeVar("T")

Moment = Annotated[
    str, Meta(extra_json_schema={"format": "date-time"}, examples=["2026-01-31T12:00:00.000Z"])
]
Amount = Annotated[int, Meta(description="Integer minor units.", examples=[1234])]
Status = Literal[
    "requires_confirmation",
    "requires_action",
    "requires_review",
    "processing",
    "succeeded",
    "failed",
    "canceled",
]


class Success(msgspec.Struct):
    """It is done."""

    success: Literal[True] = True


class TokenResponse(msgspec.Struct, kw_only=True):
    """Send the access token as `Authorization: Bearer …`."""

    success: Literal[True] = True
    access_token: Annotated[str, Meta(description="A JWT (RFC 9068).")]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: Annotated[int, Meta(description="Seconds.", examples=[3600])]
    refresh_token: Annotated[str, Meta(description="Good for one refresh.")]


class User(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Somebody who may log in."""

    id: Annotated[str, Meta(examples=["user_operator"])]
    object: Literal["user"]
    username: Annotated[str, Meta(examples=["operator"])]
    role: Literal["customer", "operator", "auditor"]
    customer_id: Annotated[str, Meta(examples=["cust_001"])] | None
    status: Literal["active", "disabled"]
    created_at: Moment
    updated_at: Moment
    password: Annotated[str, Meta(description="One that was made; it is never shown again.")] | None = None


class Confirmed(msgspec.Struct, tag_field="status", tag="SUCCESS"):
    """The payment has succeeded."""

    transaction_id: Annotated[str, Meta(examples=["txn_001"])]
    reference: Annotated[str, Meta(examples=["PAY01J0Z7"])]
    amount: Annotated[float, Meta(examples=[1000.00])]
    confirmed_at: Moment


class OtpRequired(msgspec.Struct, tag_field="status", tag="OTP_REQUIRED"):
    """Send the one-time password that the customer has got, under the same Idempotency-Key."""

    message: Annotated[str, Meta(examples=["OTP verification required"])]
    transaction_id: Annotated[str, Meta(examples=["txn_001"])]


class InReview(msgspec.Struct, tag_field="status", tag="REVIEW_REQUIRED"):
    """An operator has to look at it."""

    message: str
    transaction_id: Annotated[str, Meta(examples=["txn_001"])]
    status_url: Annotated[str, Meta(examples=["/v1/payments/txn_001"])]


class Processing(msgspec.Struct, tag_field="status", tag="PROCESSING"):
    """The bank's answer is awaited."""

    message: str
    transaction_id: Annotated[str, Meta(examples=["txn_001"])]
    status_url: Annotated[str, Meta(examples=["/v1/payments/txn_001"])]


class Risk(msgspec.Struct):
    """What the checks found."""

    level: Literal["LOW", "HIGH"]
    score: Annotated[int, Meta(examples=[30])]
    reasons: list[str]


class Payment(msgspec.Struct):
    """A payment and where it stands."""

    id: str
    object: Literal["payment"]
    status: Status
    amount: Amount
    currency: Annotated[str, Meta(examples=["USD"])]
    fee: Annotated[int, Meta(description="The partner bank's, in minor units.", examples=[0])]
    customer_id: Annotated[str, Meta(examples=["cust_001"])]
    from_account: Annotated[str, Meta(examples=["ACC001"])]
    to_account: Annotated[str, Meta(examples=["ACC002"])]
    to_routing_number: str | None
    to_name: str | None
    description: str | None
    metadata: dict[str, str]
    reference: Annotated[str, Meta(description="Once it has succeeded.")] | None
    risk: Risk | None
    next_action: Annotated[dict[str, Any], Meta(description="What the customer has to do.")] | None
    last_error: Annotated[dict[str, Any], Meta(description="Why the last attempt had no effect.")] | None
    failure: Annotated[dict[str, Any], Meta(description="Why it failed for good.")] | None
    cancellation_reason: str | None
    amount_refunded: Annotated[int, Meta(examples=[0])]
    created_at: Moment
    updated_at: Moment
    confirmed_at: Moment | None
    canceled_at: Moment | None
    expires_at: Moment | None


class Refund(msgspec.Struct):
    """Money on its way back."""

    id: str
    object: Literal["refund"]
    payment: Annotated[str, Meta(description="Id of the payment.")]
    status: Literal["pending", "succeeded", "failed"]
    amount: Amount
    currency: Annotated[str, Meta(examples=["USD"])]
    customer_id: Annotated[str, Meta(examples=["cust_001"])]
    reason: str | None
    failure: dict[str, Any] | None
    created_at: Moment
    updated_at: Moment


class PaymentEvent(msgspec.Struct):
    """Something that happened to a payment."""

    object: Literal["event"]
    id: str
    type: Annotated[str, Meta(examples=["payment.succeeded"])]
    payment: Annotated[str, Meta(examples=["txn_001"])]
    status: Status
    created_at: Moment


class AuditEvent(msgspec.Struct):
    """An entry of the trail; `hash` covers it and the one before."""

    seq: int
    event_id: str
    payment_id: Annotated[str, Meta(examples=["txn_001"])] | None
    customer_id: Annotated[str, Meta(examples=["cust_001"])] | None
    source: Annotated[str, Meta(examples=["confirm-service"])]
    source_sequence: int
    type: Annotated[str, Meta(examples=["payment.succeeded"])]
    time: Moment
    payload: dict[str, Any]
    prev_hash: str
    hash: str


class Page(msgspec.Struct, Generic[T]):
    """A page of a list, newest first; `starting_after` the last item's id gives the next one."""

    object: Literal["list"]
    data: list[T]
    has_more: bool


class Health(msgspec.Struct):
    """The gateway and what it stands on."""

    status: Literal["healthy", "unhealthy"]
    service: Literal["api-gateway"]
    instance: str
    dependencies: dict[str, Literal["healthy", "unhealthy"]]
    timestamp: Moment


class KeySet(msgspec.Struct):
    """JWK Set (RFC 7517): `use: sig` checks tokens, `use: enc` encrypts payloads."""

    keys: list[dict[str, Any]]


class FieldError(msgspec.Struct):
    """What is wrong with one field."""

    field: str
    message: str


class ProblemDetails(msgspec.Struct):
    """RFC 9457. `code` is stable and meant for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    error: Annotated[str, Meta(description="`code` in upper case.")]
    errors: list[FieldError]
    retryable: Annotated[bool, Meta(description="The same request may succeed later.")]
    request_id: str
    instance: str
