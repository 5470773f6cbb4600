"""Delivering messages: once for each message and channel, however often they are handed in."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

from payments.common import metrics
from payments.common.errors import Problem
from payments.notification.domain import CHANNELS, Channel, Notification
from payments.notification.peers import Contact, Contacts
from payments.notification.providers import NO_ADDRESS, Outcome, Outgoing, Provider
from payments.notification.store import Delivery, Key, Store

DELIVERIES = metrics.counter(
    "payments_notifications_total",
    "Attempts to deliver messages, by outcome: sent, retry (a failure that may pass), failed.",
    ["channel", "outcome"],
)
metrics.from_zero(DELIVERIES, CHANNELS, ("sent", "retry", "failed"))
_OFF = Delivery("failed", 0, None, "the channel is off", True)
_UNKNOWN = Delivery("pending", 0, None, "being delivered", False)


class Sender:
    """Delivers through the provider of each channel; a channel without one is off."""

    def __init__(self, store: Store, contacts: Contacts, providers: Mapping[Channel, Provider]) -> None:
        self._store = store
        self._contacts = contacts
        self._providers = providers

    async def send(self, notification: Notification) -> dict[Channel, Delivery]:
        """Deliver one message to the customer's address of this moment.

        Raises:
            Problem: not_found for an unknown customer; service_unavailable before anything was sent.
        """
        contact = await self._contacts.now(notification.customer_id)
        if contact is None:
            raise Problem("not_found", "There is no such customer")
        done = await self._deliver([notification], {notification.customer_id: contact})
        return {channel: done[notification.dedupe_key, channel] for channel in notification.channels}

    async def send_all(self, notifications: Sequence[Notification]) -> dict[Key, Delivery]:
        """Deliver many messages. Raises Problem(service_unavailable); handing them in again is safe."""
        contacts = await self._contacts.recent(n.customer_id for n in notifications)
        return await self._deliver(notifications, contacts)

    async def _deliver(
        self, notifications: Sequence[Notification], contacts: Mapping[str, Contact | None]
    ) -> dict[Key, Delivery]:
        unique = {n.dedupe_key: n for n in notifications}
        wanted = [
            (n, channel, self._providers[channel].name)
            for n in unique.values()
            for channel in n.channels
            if channel in self._providers
        ]
        claimed = await self._store.claim(wanted)
        batches: dict[Provider, list[Outgoing]] = defaultdict(list)
        outcomes: dict[str, Outcome] = {}
        for (dedupe_key, channel), delivery_id in claimed.items():
            notification = unique[dedupe_key]
            contact = contacts[notification.customer_id]
            if contact is None:
                outcomes[delivery_id] = NO_ADDRESS
                continue
            batches[self._providers[channel]].append(
                Outgoing(
                    delivery_id,
                    notification.customer_id,
                    notification.type,
                    channel,
                    contact.address(channel),
                    notification.text,
                )
            )
        sent = await asyncio.gather(*(provider.send(batch) for provider, batch in batches.items()))
        for batch, results in zip(batches.values(), sent, strict=True):
            outcomes |= {m.delivery_id: result for m, result in zip(batch, results, strict=True)}
        await self._store.finish(outcomes)
        for (_, channel), delivery_id in claimed.items():
            DELIVERIES.labels(channel, _word(outcomes[delivery_id])).inc()
        found = await self._store.find(list(unique))
        return {
            (n.dedupe_key, channel): found.get((n.dedupe_key, channel), _UNKNOWN)
            if channel in self._providers
            else _OFF
            for n in unique.values()
            for channel in n.channels
        }


def _word(outcome: Outcome) -> str:
    if outcome.error is None:
        return "sent"
    return "failed" if outcome.permanent else "retry"
