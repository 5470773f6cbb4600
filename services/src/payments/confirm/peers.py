"""What this service asks of risk-service and otp-service: typed questions, typed answers."""

from typing import Any, TypeVar

import msgspec

from payments.common.errors import Problem, unavailable
from payments.common.http import Peer, PeerDown, Reply
from payments.confirm.domain import Payment

T = TypeVar("T")


class Assessment(msgspec.Struct):
    """The risk-service's decision: `allow`, `review` or `refuse`; `risk_level` HIGH asks for a password."""

    risk_score: int
    risk_level: str
    decision: str
    reasons: list[str] = []
    kyc: dict[str, Any] = {}
    sanctions: dict[str, Any] = {}
    rules_version: str | None = None
    simulated: dict[str, Any] | None = None
    facts: dict[str, Any] | None = None

    def stored(self) -> dict[str, Any]:
        """As the payment keeps it; only `public` is ever shown to the customer."""
        public = {"level": self.risk_level, "score": self.risk_score, "reasons": self.reasons}
        return {
            "decision": self.decision,
            "public": public,
            "kyc": self.kyc,
            "sanctions": self.sanctions,
            "rules_version": self.rules_version,
            "simulated": self.simulated,
            "facts": self.facts,
        }


class Generated(msgspec.Struct):
    """A one-time password is on its way."""

    success: bool
    expires_at: str | None = None


class Verified(msgspec.Struct):
    """Whether a one-time password was right: ok, invalid, expired, exhausted or not_found."""

    valid: bool
    reason: str
    tries_left: int | None = None


class Risk:
    """risk-service."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def assess(self, payment: Payment, actor_token: str | None) -> Assessment:
        """KYC, OFAC and the score, in this order. Raises Problem(service_unavailable): fail closed."""
        body = {
            "payment_id": payment.id,
            "customer_id": payment.customer_id,
            "amount": payment.amount,
            "currency": payment.currency,
            "payments_24h": payment.payments_24h,
            "to_name": payment.to_name,
            "velocity": payment.velocity,
        }
        reply = await ask(self._peer, "/assess-risk", body, actor_token)
        return read(reply, Assessment, self._peer.name)


class Otp:
    """otp-service. A password is bound to customer, payment, amount, currency and payee."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def generate(self, payment: Payment, actor_token: str | None, *, resend: bool) -> Generated:
        """Send a password. Raises Problem(otp_send_limit | otp_restart | service_unavailable)."""
        body = {**_bound(payment), "resend": resend}
        reply = await ask(self._peer, "/generate-otp", body, actor_token)
        if reply.status == 429:
            raise Problem("otp_send_limit", retry_after=_retry_after(reply))
        if reply.status == 409 and reply.code() == "otp_restart":
            raise Problem("otp_restart")
        return read(reply, Generated, self._peer.name)

    async def verify(self, payment: Payment, otp: str, actor_token: str | None) -> Verified:
        """Use up a try. Raises Problem(service_unavailable)."""
        reply = await ask(self._peer, "/verify-otp", {**_bound(payment), "otp": otp}, actor_token)
        return read(reply, Verified, self._peer.name)


def _bound(payment: Payment) -> dict[str, Any]:
    return {
        "payment_id": payment.id,
        "customer_id": payment.customer_id,
        "amount": payment.amount,
        "currency": payment.currency,
        "payee": f"{payment.to_name}, {payment.to_account}" if payment.off_us else payment.to_account,
    }


async def ask(peer: Peer, path: str, body: Any, actor_token: str | None) -> Reply:
    """A question without effect on money: no answer is 503."""
    try:
        return await peer.post(path, body, actor_token=actor_token)
    except PeerDown as error:
        raise unavailable(peer.name) from error


def read(reply: Reply, kind: type[T], peer: str) -> T:
    """The answer, which must be a good one. Raises Problem(service_unavailable)."""
    if reply.status != 200:
        raise unavailable(peer)
    try:
        return reply.decode(kind)
    except msgspec.DecodeError as error:
        raise unavailable(peer) from error


def _retry_after(reply: Reply) -> int:
    value = str(reply.headers.get("Retry-After", ""))
    return int(value) if value.isdecimal() else 30
