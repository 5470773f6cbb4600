"""kyc-service as rescreening needs it: all customers, page by page."""

from datetime import date
from typing import Literal
from urllib.parse import urlencode

import msgspec

from payments.common.errors import unavailable
from payments.common.http import Peer, PeerDown


class Customer(msgspec.Struct, frozen=True):
    """What is screened of a customer."""

    customer_id: str
    name: str
    kind: Literal["individual", "business"] | None = None
    country: str | None = None
    date_of_birth: date | None = None


class _Page(msgspec.Struct):
    customers: list[Customer]
    has_more: bool


class Customers:
    """kyc-service."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def after(self, customer_id: str, limit: int) -> tuple[list[Customer], bool]:
        """Customers by their ids, and whether there are more. Raises Problem(service_unavailable)."""
        query = urlencode({"starting_after": customer_id, "limit": limit})
        try:
            reply = await self._peer.get(f"/customers?{query}")
            if reply.status == 200:
                page = reply.decode(_Page)
                return page.customers, page.has_more
        except (PeerDown, msgspec.DecodeError) as error:
            raise unavailable(self._peer.name) from error
        raise unavailable(self._peer.name)
