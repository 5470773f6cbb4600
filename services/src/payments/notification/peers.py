"""kyc-service as notification needs it: where a customer is reached."""

import asyncio
import time
from collections.abc import Iterable
from urllib.parse import quote

import msgspec

from payments.common.errors import unavailable
from payments.common.http import Peer, PeerDown
from payments.notification.domain import Channel

CACHE_SECONDS = 30.0
CACHE_SIZE = 20_000
AT_ONCE = 20


class Contact(msgspec.Struct, frozen=True):
    """Addresses of a customer."""

    customer_id: str
    email: str | None
    phone: str | None
    push_token: str | None = None

    def address(self, channel: Channel) -> str | None:
        """Where the customer is reached on a channel."""
        return {"sms": self.phone, "email": self.email, "push": self.push_token}[channel]


class Contacts:
    """Contacts by customer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._known: dict[str, tuple[float, Contact | None]] = {}

    async def now(self, customer_id: str) -> Contact | None:
        """The contact as it is, None for an unknown customer. Raises Problem(service_unavailable)."""
        try:
            reply = await self._peer.get(f"/customers/{quote(customer_id, safe='')}/contact")
            if reply.status == 404:
                contact = None
            elif reply.status == 200:
                contact = reply.decode(Contact)
            else:
                raise unavailable(self._peer.name)
        except (PeerDown, msgspec.DecodeError) as error:
            raise unavailable(self._peer.name) from error
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        self._known[customer_id] = (time.monotonic() + CACHE_SECONDS, contact)
        return contact

    async def recent(self, customer_ids: Iterable[str]) -> dict[str, Contact | None]:
        """Contacts at most 30 s old; not for secrets. Raises Problem(service_unavailable)."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(customer_id: str) -> Contact | None:
            known = self._known.get(customer_id)
            if known is not None and known[0] > time.monotonic():
                return known[1]
            async with slots:
                return await self.now(customer_id)

        wanted = list(dict.fromkeys(customer_ids))
        return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))
