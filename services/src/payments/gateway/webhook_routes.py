"""Webhook endpoints, events and deliveries: checked here, kept by confirm-service."""

from payments.common.errors import Problem
from payments.contracts.webhook import SUBSCRIPTIONS
from payments.gateway import models
from payments.gateway import webhook_models as hooks
from payments.gateway.answers import Page
from payments.gateway.domain import CUSTOMER
from payments.gateway.operations import Operation
from payments.gateway.passthrough import Passthrough

_ENDPOINTS = "/v1/webhook_endpoints"
_ENDPOINT = f"{_ENDPOINTS}/{{id}}"
_ONLY = (CUSTOMER,)
_ALWAYS = ("forbidden", "webhooks_disabled")
_TAG = "Webhooks"
_CREATED = """\
At most 16 endpoints a customer. The answer holds the signing secret, which is not shown again.

Events are sent as `POST` with the event as JSON, signed as Standard Webhooks has it: `webhook-id` (the
event's id, the same at every attempt), `webhook-timestamp` (seconds) and `webhook-signature`, which
holds `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` with the secret's bytes (base64
behind `whsec_`); several, set apart by spaces, while a secret is being rolled. Check it before you
believe the body, with one of the libraries of https://www.standardwebhooks.com.

Any 2xx within 10 seconds is a delivery. Otherwise it is sent again after 5 s, 30 s, 2 min, 10 min, 30
min, 1 h, 2 h, 4 h, 8 h and 8 h, each give or take a fifth; then it has failed. 410 disables the
endpoint at once, five days of nothing but failures disable it, too (`webhook_endpoint.disabled` tells
the others). Delivery is at least once: drop a `webhook-id` that you have seen. Order is not promised:
compare `created`, or read the payment.
"""


def operations(confirm: Passthrough) -> list[Operation]:
    """What confirm-service does about webhooks."""
    return [*_endpoints(confirm), *_actions(confirm), *_events(confirm)]


def _endpoints(confirm: Passthrough) -> list[Operation]:
    return [
        Operation(
            method="POST",
            path=_ENDPOINTS,
            summary="Create a webhook endpoint",
            description=_CREATED,
            tag=_TAG,
            endpoint=confirm.post(
                _ENDPOINTS, hooks.CreateWebhookEndpointRequest, roles=_ONLY, check=check_subscriptions
            ),
            request=hooks.CreateWebhookEndpointRequest,
            response=hooks.NewWebhookEndpoint,
            status=201,
            errors=(*_ALWAYS, "webhook_endpoint_limit"),
            key=True,
        ),
        Operation(
            method="GET",
            path=_ENDPOINTS,
            summary="List one's webhook endpoints",
            tag=_TAG,
            endpoint=confirm.get(_ENDPOINTS, models.NoQuery, roles=_ONLY),
            response=Page[hooks.WebhookEndpoint],
            errors=_ALWAYS,
        ),
        Operation(
            method="GET",
            path=_ENDPOINT,
            summary="Read a webhook endpoint",
            tag=_TAG,
            endpoint=confirm.get(_ENDPOINT, models.NoQuery, roles=_ONLY),
            response=hooks.WebhookEndpoint,
            errors=_ALWAYS,
        ),
        Operation(
            method="PATCH",
            path=_ENDPOINT,
            summary="Change a webhook endpoint",
            tag=_TAG,
            endpoint=confirm.patch(
                _ENDPOINT, hooks.UpdateWebhookEndpointRequest, roles=_ONLY, check=check_subscriptions
            ),
            request=hooks.UpdateWebhookEndpointRequest,
            response=hooks.WebhookEndpoint,
            errors=_ALWAYS,
        ),
        Operation(
            method="DELETE",
            path=_ENDPOINT,
            summary="Delete a webhook endpoint",
            tag=_TAG,
            endpoint=confirm.delete(_ENDPOINT, roles=_ONLY),
            response=hooks.DeletedWebhookEndpoint,
            errors=_ALWAYS,
        ),
    ]


def _actions(confirm: Passthrough) -> list[Operation]:
    return [
        Operation(
            method="POST",
            path=f"{_ENDPOINT}/roll_secret",
            summary="Roll a signing secret",
            description="For 24 hours the old secret signs, too, so that receivers can change over.",
            tag=_TAG,
            endpoint=confirm.post(f"{_ENDPOINT}/roll_secret", models.Nothing, roles=_ONLY),
            request=models.Nothing,
            response=hooks.RolledWebhookEndpoint,
            errors=_ALWAYS,
            key=True,
        ),
        Operation(
            method="POST",
            path=f"{_ENDPOINT}/test",
            summary="Send a test event",
            description="An event `webhook_endpoint.test` goes to this endpoint, whatever it subscribed to.",
            tag=_TAG,
            endpoint=confirm.post(f"{_ENDPOINT}/test", models.Nothing, roles=_ONLY),
            request=models.Nothing,
            response=hooks.Delivery,
            status=201,
            errors=(*_ALWAYS, "webhook_endpoint_disabled"),
            key=True,
        ),
        Operation(
            method="GET",
            path=f"{_ENDPOINT}/deliveries",
            summary="List an endpoint's deliveries",
            description="Kept for 30 days.",
            tag=_TAG,
            endpoint=confirm.get(f"{_ENDPOINT}/deliveries", hooks.DeliveriesQuery, roles=_ONLY),
            query=hooks.DeliveriesQuery,
            response=Page[hooks.Delivery],
            errors=_ALWAYS,
        ),
    ]


def _events(confirm: Passthrough) -> list[Operation]:
    return [
        Operation(
            method="GET",
            path="/v1/events",
            summary="List events",
            description="Kept for 30 days, from the customer's first webhook endpoint on.",
            tag=_TAG,
            endpoint=confirm.get("/v1/events", hooks.EventsQuery, roles=_ONLY),
            query=hooks.EventsQuery,
            response=Page[hooks.Event],
            errors=_ALWAYS,
        ),
        Operation(
            method="GET",
            path="/v1/events/{id}",
            summary="Read an event",
            tag=_TAG,
            endpoint=confirm.get("/v1/events/{id}", models.NoQuery, roles=_ONLY),
            response=hooks.Event,
            errors=_ALWAYS,
        ),
        Operation(
            method="POST",
            path="/v1/events/{id}/replay",
            summary="Send an event again",
            description="Under the same `webhook-id`. What waits for its next attempt is sent now.",
            tag=_TAG,
            endpoint=confirm.post("/v1/events/{id}/replay", hooks.ReplayRequest, roles=_ONLY),
            request=hooks.ReplayRequest,
            response=Page[hooks.Delivery],
            status=201,
            errors=(*_ALWAYS, "webhook_endpoint_disabled"),
            key=True,
        ),
    ]


def check_subscriptions(
    body: hooks.CreateWebhookEndpointRequest | hooks.UpdateWebhookEndpointRequest,
) -> None:
    """Raises Problem for what is no type of event."""
    wanted = body.enabled_events
    if isinstance(wanted, list) and not set(wanted) <= set(SUBSCRIPTIONS):
        message = f"takes {', '.join(SUBSCRIPTIONS)}"
        raise Problem("validation_failed", errors=[{"field": "enabled_events", "message": message}])
