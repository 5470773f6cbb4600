"""What merchants are told by webhooks: these types of events, each with the object that it is about."""

from payments.contracts.payment import PAYMENT_TYPES, REFUND_TYPES

DISABLED = "webhook_endpoint.disabled"
TEST = "webhook_endpoint.test"  # on request, to one endpoint, whatever it has subscribed to

TYPES = (*PAYMENT_TYPES, *REFUND_TYPES, DISABLED)
# What an endpoint may subscribe to: everything, everything about one kind of object, or single types.
SUBSCRIPTIONS = ("*", *sorted({f"{name.partition('.')[0]}.*" for name in TYPES}), *TYPES)


def subscribes(subscriptions: list[str], event_type: str) -> bool:
    """Whether an endpoint with these subscriptions is told of an event of this type."""
    return any(
        wanted in ("*", event_type) or (wanted.endswith(".*") and event_type.startswith(wanted[:-1]))
        for wanted in subscriptions
    )
