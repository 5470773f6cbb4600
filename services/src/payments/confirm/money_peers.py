"""What this service needs of those who move money: account-service and the partner bank.

A call that may move money ends in one of four ways: done, refused (`Refused`), surely without effect
(`Untouched`), or nobody knows (`Unknown`). The last is never guessed: it is asked again, through an open
circuit, too.
"""

from typing import Any

import msgspec

from payments.common.errors import KINDS
from payments.common.http import Peer, PeerDown, Reply
from payments.confirm.domain import Payment, Refund
from payments.confirm.peers import ask, read


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
        reply = await ask(self._peer, "/validate-account", body, actor_token)
        if 400 <= reply.status < 500 and reply.code() in KINDS:
            return Validation(False, reply.code())
        return read(reply, Validation, self._peer.name)

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
            reply = await self._peer.get(f"/transfers/{payment_id}", guarded=False)
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
            "bank_reference": payment.bank_reference,
        }
        await _effect(self._peer, "/reserve-funds", body, actor_token)

    async def post_hold(self, payment: Payment) -> None:
        """Turn the hold into postings. Raises Refused, Untouched or Unknown."""
        path = f"/holds/{payment.id}/post"
        await _effect(self._peer, path, {"bank_reference": payment.bank_reference}, None, guarded=False)

    async def void_hold(self, payment: Payment) -> None:
        """Release the hold for good; none can be made afterwards. Raises Refused, Untouched or Unknown."""
        await _effect(self._peer, f"/holds/{payment.id}/void", {}, None, guarded=False)

    async def post_return(self, refund: Refund) -> None:
        """Give the payer what the bank has returned. Raises Refused, Untouched or Unknown."""
        body = {
            "refund_id": refund.id,
            "amount": refund.amount,
            "currency": refund.currency,
            "bank_reference": refund.bank_reference,
        }
        await _effect(self._peer, f"/holds/{refund.payment_id}/returns", body, None, guarded=False)


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
        return await self._order("/process-transfer", body)

    async def status(self, payment: Payment) -> BankTransfer | None:
        """What became of the transfer; None when the bank has never heard of it. Raises Unknown."""
        return await self._status(f"/transfers/{payment.bank_reference}")

    async def give_back(self, refund: Refund) -> BankTransfer:
        """Ask the money of a refund back. Raises Untouched or Unknown."""
        body = {
            "reference": refund.bank_reference,
            "original_reference": refund.original_reference,
            "amount": refund.amount,
            "currency": refund.currency,
            "reason": "CUST",  # ISO 20022: requested by customer; the words of the customer stay here
        }
        return await self._order("/process-return", body)

    async def return_status(self, refund: Refund) -> BankTransfer | None:
        """What became of the return; None when the bank has never heard of it. Raises Unknown."""
        return await self._status(f"/returns/{refund.bank_reference}")

    async def _order(self, path: str, body: dict[str, Any]) -> BankTransfer:
        try:
            reply = await self._peer.post(path, body)
        except PeerDown as error:
            raise (Unknown if error.sent else Untouched)(self._peer.name) from error
        return self._transfer(reply)

    async def _status(self, path: str) -> BankTransfer | None:
        try:
            reply = await self._peer.get(path, guarded=False)
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


async def _effect(peer: Peer, path: str, body: Any, actor_token: str | None, *, guarded: bool = True) -> None:
    """A call that changes balances. A 5xx may hide a commit whose answer was lost, so it is Unknown.

    Args:
        guarded: False for what finishes a payment that has had an effect: an open circuit does not stop it.
    """
    try:
        reply = await peer.post(path, body, actor_token=actor_token, guarded=guarded)
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
