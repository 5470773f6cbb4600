"""What this service needs of the others: typed questions, typed answers.

A call that may move money ends in one of four ways: done, refused (`Refused`), surely without effect
(`Untouched`), or nobody knows (`Unknown`). The last is never guessed: it is asked again.
"""

from typing import Any, TypeVar

import msgspec

from payments.common.errors import KINDS, Problem, unavailable
from payments.common.http import Peer, PeerDown, Reply
from payments.confirm.domain import Payment, Refund

T = TypeVar("T")


class Untouched(Exception):
    """The request surely had no effect; `args[0]` names the peer."""


class Unknown(Exception):
    """The request may have had its effect; `args[0]` names the peer."""


class Refused(Exception):
    """The peer refused, with no effect.

    Args:
        code: one of `payments.common.errors.KINDS`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Assessment(msgspec.Struct):
    """The risk-service's decision: `allow`, `review` or `refuse`; `risk_level` HIGH asks for a password."""

    risk_score: int
    risk_level: str
    decision: str
    reasons: list[str] = []
    kyc: dict[str, Any] = {}
    sanctions: dict[str, Any] = {}

    def stored(self) -> dict[str, Any]:
        """As the payment keeps it; only `public` is ever shown to the customer."""
        return {
            "decision": self.decision,
            "public": {"level": self.risk_level, "score": self.risk_score, "reasons": self.reasons},
            "kyc": self.kyc,
            "sanctions": self.sanctions,
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


class Validation(msgspec.Struct):
    """Whether a payment between two accounts could be made, and if not, why."""

    valid: bool
    reason: str | None = None
    field: str | None = None


class BankTransfer(msgspec.Struct):
    """The partner bank's view of a transfer: COMPLETED, REJECTED or anything else (not known yet)."""

    status: str
    reference_number: str | None = None
    error_code: str | None = None


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
        }
        reply = await _ask(self._peer, "/assess-risk", body, actor_token)
        return _read(reply, Assessment, self._peer.name)


class Otp:
    """otp-service. A password is bound to customer, payment, amount, currency and payee."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def generate(self, payment: Payment, actor_token: str | None, *, resend: bool) -> Generated:
        """Send a password. Raises Problem(otp_send_limit | otp_restart | service_unavailable)."""
        body = {**_bound(payment), "resend": resend}
        reply = await _ask(self._peer, "/generate-otp", body, actor_token)
        if reply.status == 429:
            raise Problem("otp_send_limit", retry_after=_retry_after(reply))
        return _read(reply, Generated, self._peer.name)

    async def verify(self, payment: Payment, otp: str, actor_token: str | None) -> Verified:
        """Use up a try. Raises Problem(service_unavailable)."""
        reply = await _ask(self._peer, "/verify-otp", {**_bound(payment), "otp": otp}, actor_token)
        return _read(reply, Verified, self._peer.name)


class Accounts:
    """account-service. Its postings are unique by payment (or refund): repeating one is safe."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def validate(
        self,
        customer_id: str,
        from_account: str,
        to_account: str | None,
        currency: str,
        actor_token: str | None,
    ) -> Validation:
        """Owner, state and currency of the accounts; `to_account` None for one at another bank."""
        body = {
            "customer_id": customer_id,
            "from_account": from_account,
            "to_account": to_account,
            "amount": None,
            "currency": currency,
        }
        reply = await _ask(self._peer, "/validate-account", body, actor_token)
        if 400 <= reply.status < 500 and reply.code() in KINDS:
            return Validation(False, reply.code())
        return _read(reply, Validation, self._peer.name)

    async def transfer(self, payment: Payment, actor_token: str | None) -> None:
        """Move a payment's amount. Raises Refused, Untouched or Unknown."""
        body = {
            "payment_id": payment.id,
            "kind": "payment",
            "from_account": payment.from_account,
            "to_account": payment.to_account,
            "amount": payment.amount,
            "currency": payment.currency,
        }
        await _effect(self._peer, "/transfers", body, actor_token)

    async def refund(self, refund: Refund, actor_token: str | None) -> None:
        """Move a refund's amount back. Raises Refused, Untouched or Unknown."""
        body = {
            "payment_id": refund.payment_id,
            "kind": "refund",
            "refund_id": refund.id,
            "from_account": refund.payee_account,
            "to_account": refund.payer_account,
            "amount": refund.amount,
            "currency": refund.currency,
        }
        await _effect(self._peer, "/transfers", body, actor_token)

    async def transferred(self, payment_id: str) -> bool:
        """Whether the payment's transfer was posted. Raises Unknown."""
        try:
            reply = await self._peer.get(f"/transfers/{payment_id}")
        except PeerDown as error:
            raise Unknown(self._peer.name) from error
        if reply.status == 200:
            return True
        if reply.status == 404 and reply.code() == "payment_not_found":
            return False
        raise Unknown(self._peer.name)

    async def hold(self, payment: Payment, actor_token: str | None) -> None:
        """Hold amount and fee. Raises Refused, Untouched or Unknown."""
        body = {
            "payment_id": payment.id,
            "account_number": payment.from_account,
            "amount": payment.amount,
            "fee": payment.fee,
            "currency": payment.currency,
        }
        await _effect(self._peer, "/reserve-funds", body, actor_token)

    async def post_hold(self, payment: Payment) -> None:
        """Turn the hold into postings. Raises Refused, Untouched or Unknown."""
        path = f"/holds/{payment.id}/post"
        await _effect(self._peer, path, {"bank_reference": payment.bank_reference}, None)

    async def void_hold(self, payment: Payment) -> None:
        """Release the hold for good; none can be made afterwards. Raises Refused, Untouched or Unknown."""
        await _effect(self._peer, f"/holds/{payment.id}/void", {}, None)


class Bank:
    """partner-bank-api. Idempotent by our reference."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def process(self, payment: Payment) -> BankTransfer:
        """Hand the transfer in. Raises Untouched or Unknown."""
        body = {
            "reference": payment.bank_reference,
            "from_account": payment.from_account,
            "to_account": payment.to_account,
            "to_name": payment.to_name,
            "routing_number": payment.to_routing_number,
            "amount": payment.amount,
            "currency": payment.currency,
        }
        try:
            reply = await self._peer.post("/process-transfer", body)
        except PeerDown as error:
            raise (Unknown if error.sent else Untouched)(self._peer.name) from error
        return self._transfer(reply)

    async def status(self, payment: Payment) -> BankTransfer | None:
        """What became of the transfer; None when the bank has never heard of it. Raises Unknown."""
        try:
            reply = await self._peer.get(f"/transfers/{payment.bank_reference}")
        except PeerDown as error:
            raise Unknown(self._peer.name) from error
        return None if reply.status == 404 else self._transfer(reply)

    def _transfer(self, reply: Reply) -> BankTransfer:
        if reply.status in (400, 422):  # the bank cannot even read it: nothing will ever come of it
            return BankTransfer("REJECTED", error_code=reply.code().upper() or None)
        try:
            transfer = reply.decode(BankTransfer)
        except msgspec.DecodeError as error:
            raise Unknown(self._peer.name) from error
        if reply.status != 200 or transfer.status not in ("COMPLETED", "REJECTED"):
            raise Unknown(self._peer.name)
        return transfer


def _bound(payment: Payment) -> dict[str, Any]:
    return {
        "payment_id": payment.id,
        "customer_id": payment.customer_id,
        "amount": payment.amount,
        "currency": payment.currency,
        "payee": f"{payment.to_name}, {payment.to_account}" if payment.off_us else payment.to_account,
    }


async def _ask(peer: Peer, path: str, body: Any, actor_token: str | None) -> Reply:
    """A question without effect on money: no answer is 503."""
    try:
        return await peer.post(path, body, actor_token=actor_token)
    except PeerDown as error:
        raise unavailable(peer.name) from error


def _read(reply: Reply, kind: type[T], peer: str) -> T:
    if reply.status != 200:
        raise unavailable(peer)
    try:
        return reply.decode(kind)
    except msgspec.DecodeError as error:
        raise unavailable(peer) from error


async def _effect(peer: Peer, path: str, body: Any, actor_token: str | None) -> None:
    """A call that changes balances. A 5xx may hide a commit whose answer was lost, so it is Unknown."""
    try:
        reply = await peer.post(path, body, actor_token=actor_token)
    except PeerDown as error:
        raise (Unknown if error.sent else Untouched)(peer.name) from error
    if reply.status in (200, 201):
        return
    if 400 <= reply.status < 500 and reply.status not in (401, 403, 408, 425, 429):
        code = reply.code()
        raise Refused(code if code in KINDS else "validation_failed")
    if reply.status in (401, 403, 429):
        raise Untouched(peer.name)
    raise Unknown(peer.name)


def _retry_after(reply: Reply) -> int:
    value = str(reply.headers.get("Retry-After", ""))
    return int(value) if value.isdecimal() else 30
