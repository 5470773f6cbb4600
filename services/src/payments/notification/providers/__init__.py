"""Those who carry messages, all behind one interface."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from payments.notification.domain import Channel, Text


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message on one channel. `to` is a phone number (E.164), an e-mail address or a device's token."""

    delivery_id: str
    customer_id: str
    type: str
    channel: Channel
    to: str | None
    text: Text


@dataclass(frozen=True, slots=True)
class Outcome:
    """`message_id` when the provider took it, else `error`; `permanent` when trying again is no use."""

    message_id: str | None = None
    error: str | None = None
    permanent: bool = False


NO_ADDRESS = Outcome(error="no address", permanent=True)


class Provider(Protocol):
    """Carries messages."""

    @property
    def name(self) -> str:
        """As in the settings."""

    async def send(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        """Hand over every message; one outcome each, in order. Never raises for a message's sake."""
