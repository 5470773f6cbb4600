"""kyc-service and ofac-service as risk needs them. No answer, or an unreadable one, is no answer: 503."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

import msgspec

from payments.common.errors import Problem, unavailable
from payments.common.http import Peer, PeerDown
from payments.risk.facts import SanctionsDecision

T = TypeVar("T")


class Verification(msgspec.Struct, frozen=True):
    """A customer's verification as kyc-service tells it."""

    customer_id: str
    verified: bool
    status: str
    level: str | None
    name: str | None
    country: str | None
    date_of_birth: date | None
    version: int
    kind: str | None = None
    documents_expire_on: date | None = None

    @property
    def until(self) -> float:
        """Unix seconds from which the answer may differ though nothing was changed: documents expire."""
        if not self.verified or self.documents_expire_on is None:
            return float("inf")
        return datetime.combine(self.documents_expire_on + timedelta(days=1), time(), UTC).timestamp()


class Screening(msgspec.Struct, frozen=True):
    """A sanctions decision as ofac-service tells it."""

    decision: SanctionsDecision
    score: float
    list_version: int


class _KycVersion(msgspec.Struct):
    version: int


class _OfacVersion(msgspec.Struct):
    version: str


class Kyc:
    """kyc-service."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def check(self, customer_id: str) -> Verification:
        """The customer's verification now. Raises Problem(service_unavailable)."""
        return await _ask(self._peer, Verification, "/check-status", {"customer_id": customer_id})

    async def version(self) -> str:
        """Grows with any change of any customer. Raises Problem(service_unavailable)."""
        return str((await _ask(self._peer, _KycVersion, "/version")).version)


class Ofac:
    """ofac-service."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def screen_customer(self, customer: Verification) -> Screening:
        """Screen a customer under their registered name. Raises Problem(service_unavailable)."""
        body = {
            "customer_id": customer.customer_id,
            "name": customer.name or "",
            "country": customer.country,
            "kind": customer.kind,
            "date_of_birth": customer.date_of_birth,
        }
        return await _ask(self._peer, Screening, "/check-sanctions", body)

    async def screen_name(self, name: str) -> Screening:
        """Screen somebody of whom only the name is known. Raises Problem(service_unavailable)."""
        return await _ask(self._peer, Screening, "/check-sanctions", {"customer_id": None, "name": name})

    async def version(self) -> str:
        """Changes with lists, rules and method. Raises Problem(service_unavailable)."""
        return (await _ask(self._peer, _OfacVersion, "/version")).version


async def _ask(peer: Peer, type_: type[T], path: str, body: object = None) -> T:
    try:
        reply = await (peer.get(path) if body is None else peer.post(path, body))
        if reply.status == 200:
            return reply.decode(type_)
    except (PeerDown, msgspec.DecodeError) as error:
        raise unavailable(peer.name) from error
    raise Problem("service_unavailable", f"{peer.name} did not answer the question; try again later")
