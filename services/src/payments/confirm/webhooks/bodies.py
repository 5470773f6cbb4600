"""The bodies of the webhook routes, and what the types cannot say about them."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from payments.common.errors import Problem
from payments.confirm.bodies import LongText
from payments.confirm.webhooks.addresses import Guard
from payments.contracts.webhook import SUBSCRIPTIONS

Events = Annotated[list[str], Meta(min_length=1, max_length=len(SUBSCRIPTIONS))]
Metadata = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00]+$")], LongText],
    Meta(max_length=50),
]


class CreateEndpoint(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """POST /v1/webhook_endpoints."""

    url: str
    enabled_events: Events
    description: LongText | None = None
    metadata: Metadata = {}


class UpdateEndpoint(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """PATCH /v1/webhook_endpoints/{id}. What is not named stays; `metadata` is replaced as a whole."""

    url: str | UnsetType = UNSET
    enabled_events: Events | UnsetType = UNSET
    description: LongText | None | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    status: str | UnsetType = UNSET


class Replay(msgspec.Struct, forbid_unknown_fields=True):
    """POST /v1/events/{id}/replay. Without an endpoint: to all that take such events."""

    webhook_endpoint: str | None = None


def check(body: CreateEndpoint | UpdateEndpoint, guard: Guard) -> None:
    """Raises Problem(validation_failed) with each wrong field."""
    errors = []
    if isinstance(body.url, str) and (fault := guard.fault(body.url)) is not None:
        errors.append({"field": "url", "message": fault})
    if isinstance(body.enabled_events, list) and not set(body.enabled_events) <= set(SUBSCRIPTIONS):
        errors.append({"field": "enabled_events", "message": f"takes {', '.join(SUBSCRIPTIONS)}"})
    if isinstance(body, UpdateEndpoint) and body.status not in (UNSET, "enabled", "disabled"):
        errors.append({"field": "status", "message": "must be enabled or disabled"})
    if errors:
        raise Problem("validation_failed", errors=errors)
