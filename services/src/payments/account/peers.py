"""The partner bank as the ledger needs it: asked, never believed over the ledger."""

import msgspec

from payments.common.errors import unavailable
from payments.common.http import Peer, PeerDown


class BankEntry(msgspec.Struct):
    """An entry of the bank's book; amounts in minor units. A return has no fee."""

    status: str
    amount: int
    currency: str
    processing_fee: int = 0


class _Outcome(msgspec.Struct):
    status: str


class PartnerBank:
    """partner-bank-api. Every call raises Problem(service_unavailable) while it gives no clear answer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def find(self, reference: str) -> BankEntry | None:
        """The bank's entry of an order under a reference, None when it surely has none."""
        return await self._find(f"/transfers/{reference}")

    async def find_return(self, reference: str) -> BankEntry | None:
        """The bank's entry of a return under a reference, None when it surely has none."""
        return await self._find(f"/returns/{reference}")

    async def _find(self, path: str) -> BankEntry | None:
        try:
            answer = await self._peer.get(path)
            if answer.status == 200:
                return answer.decode(BankEntry)
        except (PeerDown, msgspec.DecodeError) as error:
            raise unavailable(self._peer.name) from error
        if answer.status == 404 and answer.code() == "not_found":
            return None
        raise unavailable(self._peer.name)

    async def cancel(self, reference: str) -> str:
        """Have the bank take no order with this reference any more.

        Returns:
            REJECTED: nothing was carried out under this reference, and never will be. COMPLETED or PENDING:
            it came in before, and stands.
        """
        try:
            answer = await self._peer.post("/cancel-transfer", {"reference": reference})
            if answer.status == 200:
                return answer.decode(_Outcome).status
        except (PeerDown, msgspec.DecodeError) as error:
            raise unavailable(self._peer.name) from error
        raise unavailable(self._peer.name)

    async def ping(self) -> None:
        """Raises Problem(service_unavailable) when the bank is away."""
        await self._peer.ping()
