"""Webhooks in the public API: what it takes and what it answers."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from payments.contracts.webhook import SUBSCRIPTIONS, TEST, TYPES
from payments.gateway.answers import Moment
from payments.gateway.models import Id, Note, PageQuery

_NAME = r"^[^\x00-\x1f\x7f]*\Z"
_ID = "0199f3a2-7c1e-7a55-b0f4-3d2c6a1e9b70"
_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # noqa: S105  an example, nobody's

Url = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=2048,
        pattern=r"^https?://[!-~]+\Z",
        description="HTTPS on port 443, a host of the internet; development platforms take plain HTTP, too. "
        "Redirects are not followed.",
        examples=["https://shop.example.com/webhooks"],
    ),
]
Subscriptions = Annotated[
    list[
        Annotated[
            str,
            Meta(pattern=r"^[a-z_.*]{1,64}\Z", extra_json_schema={"enum": list(SUBSCRIPTIONS)}),
        ]
    ],
    Meta(
        min_length=1,
        max_length=len(SUBSCRIPTIONS),
        description="Types of events; `payment.*` is all about payments, `*` is everything.",
        examples=[["payment.*", "refund.succeeded"]],
    ),
]
Metadata = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=40, pattern=_NAME)], Note],
    Meta(max_length=50, description="Yours to use; replaced as a whole.", examples=[{"shop": "7"}]),
]
EventType = Annotated[
    str,
    Meta(
        pattern=r"^[a-z_.]{1,64}\Z",
        extra_json_schema={"enum": [*TYPES, TEST]},
        examples=["payment.succeeded"],
    ),
]
EndpointStatus = Literal["enabled", "disabled"]
DeliveryStatus = Literal["pending", "delivered", "failed", "canceled"]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Unknown members are refused."""


class CreateWebhookEndpointRequest(_Strict):
    """Where to send which events."""

    url: Url
    enabled_events: Subscriptions
    description: Note | None = None
    metadata: Metadata | UnsetType = UNSET


class UpdateWebhookEndpointRequest(_Strict):
    """What is to change; the rest stays."""

    url: Url | UnsetType = UNSET
    enabled_events: Subscriptions | UnsetType = UNSET
    description: Note | None | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    status: (
        Annotated[EndpointStatus, Meta(description="Disabling cancels what waits to be sent.")] | UnsetType
    ) = UNSET


class ReplayRequest(_Strict):
    """To which endpoint; to all enabled ones that take such events when none is named."""

    webhook_endpoint: Annotated[Id, Meta(examples=[_ID])] | None = None


class EventsQuery(PageQuery):
    """Which events."""

    type: EventType | None = None


class DeliveriesQuery(PageQuery):
    """Which deliveries."""

    status: DeliveryStatus | None = None
    event_type: EventType | None = None


class WebhookEndpoint(msgspec.Struct, kw_only=True):
    """A server that is told of the customer's events."""

    id: Annotated[str, Meta(examples=[_ID])]
    object: Literal["webhook_endpoint"]
    url: Annotated[str, Meta(examples=["https://shop.example.com/webhooks"])]
    enabled_events: Annotated[list[str], Meta(examples=[["payment.*", "refund.succeeded"]])]
    description: str | None
    metadata: dict[str, str]
    status: EndpointStatus
    disabled_reason: (
        Annotated[
            Literal["customer", "gone", "failing"],
            Meta(description="`gone`: it answered 410; `failing`: nothing but failures for five days."),
        ]
        | None
    )
    failing_since: Annotated[Moment, Meta(description="The first failure since the last success.")] | None
    customer_id: Annotated[str, Meta(examples=["cust_001"])]
    created_at: Moment
    updated_at: Moment


class NewWebhookEndpoint(WebhookEndpoint, kw_only=True):
    """The endpoint with its signing secret, which is shown this once."""

    secret: Annotated[str, Meta(examples=[_SECRET])]


class RolledWebhookEndpoint(NewWebhookEndpoint, kw_only=True):
    """The endpoint with its new secret. Until the old one ends, both sign."""

    old_secret_expires_at: Moment


class DeletedWebhookEndpoint(msgspec.Struct, kw_only=True):
    """It is gone, and its deliveries with it."""

    id: Annotated[str, Meta(examples=[_ID])]
    object: Literal["webhook_endpoint"]
    deleted: Literal[True]


class EventData(msgspec.Struct):
    """What the event is about, as it was then: a payment, a refund or a webhook endpoint."""

    object: Annotated[
        dict[str, Any], Meta(examples=[{"id": "txn_001", "object": "payment", "status": "succeeded"}])
    ]


class Event(msgspec.Struct, kw_only=True):
    """Something that happened; the body that endpoints are sent."""

    id: Annotated[str, Meta(description="Also the header `webhook-id`.", examples=[_ID])]
    object: Literal["event"]
    type: EventType
    created: Moment
    data: EventData


class DeliveryAttempt(msgspec.Struct, kw_only=True):
    """The latest attempt: what was answered, or why nothing was."""

    at: Moment
    duration_ms: Annotated[int, Meta(examples=[120])]
    status: Annotated[int, Meta(description="HTTP status.", examples=[500])] | None
    error: (
        Annotated[
            Literal[
                "timeout",
                "name_not_resolved",
                "address_not_allowed",
                "connection_failed",
                "connection_lost",
                "tls_failed",
                "no_valid_answer",
            ],
            Meta(description="When there was no answer."),
        ]
        | None
    )
    response: Annotated[str, Meta(description="The first 1,024 bytes of the answer's body.")] | None


class Delivery(msgspec.Struct, kw_only=True):
    """One event on its way to one endpoint."""

    id: Annotated[str, Meta(examples=[_ID])]
    object: Literal["webhook_delivery"]
    webhook_endpoint: Annotated[str, Meta(examples=[_ID])]
    event: Annotated[str, Meta(examples=[_ID])]
    event_type: EventType
    replay: Annotated[bool, Meta(description="It was asked for.")]
    status: DeliveryStatus
    attempts: Annotated[int, Meta(examples=[1])]
    next_attempt_at: Moment | None
    last_attempt: DeliveryAttempt | None
    created_at: Moment
    delivered_at: Moment | None
