"""Routes that move money or ask whether it could be moved; names are the original's where it had them."""

import re
from datetime import timedelta

from starlette.routing import Route

from payments.account import presentation
from payments.account.domain import PAYMENTS, may_change, owner, refusal
from payments.account.messages import (
    ID,
    HoldReply,
    PostRequest,
    ReserveRequest,
    ReturnRequest,
    TransferReply,
    TransferRequest,
    ValidateReply,
    ValidateRequest,
    VoidRequest,
)
from payments.account.store import Store
from payments.common import context
from payments.common.errors import Problem
from payments.common.routes import B, Call, get, post


class Routes:
    """The handlers, over a store."""

    def __init__(self, store: Store, *, hold_days: int) -> None:
        self._store = store
        self._hold = timedelta(days=hold_days)

    def routes(self) -> list[Route]:
        """All routes that move money."""
        return [
            post("/transfers", TransferRequest, self.transfer),
            get("/transfers/{payment_id}", self.posted),
            post("/reserve-funds", ReserveRequest, self.reserve),
            post("/holds/{payment_id}/post", PostRequest, self.post_hold),
            post("/holds/{payment_id}/void", VoidRequest, self.void_hold),
            post("/holds/{payment_id}/returns", ReturnRequest, self.post_return),
            post("/validate-account", ValidateRequest, self.validate),
        ]

    async def transfer(self, call: Call[TransferRequest]) -> TransferReply:
        """Post a payment or a refund between two accounts; a repeat answers the same."""
        actor = _mover(call)
        body = call.body
        if (body.kind == "refund") != (body.refund_id is not None):
            message = "is required for a refund" if body.kind == "refund" else "is for refunds only"
            raise Problem("validation_failed", errors=[{"field": "refund_id", "message": message}])
        done = await self._store.transfer(body, actor, context.traceparent.get())
        _refuse(done["refusal"])
        return TransferReply(done["id"], body.payment_id, body.kind, body.refund_id, done["at"])

    async def posted(self, call: Call[None]) -> TransferReply:
        """What was posted for a payment, also through a hold; 404 payment_not_found when nothing was."""
        _itself(call)
        payment_id = _payment_id(call)
        row = await self._store.posted(payment_id)
        if row is None:
            raise Problem("payment_not_found", "Nothing was posted for this payment")
        return TransferReply(row["id"], payment_id, "payment", None, row["at"])

    async def reserve(self, call: Call[ReserveRequest]) -> HoldReply:
        """Hold amount and fee for a payment to another bank; a repeat answers the same."""
        actor = _mover(call)
        done = await self._store.reserve(call.body, self._hold, actor, context.traceparent.get())
        _refuse(done["refusal"])
        return HoldReply(done["id"], call.body.payment_id, done["status"], expires_at=done["expires_at"])

    async def post_hold(self, call: Call[PostRequest]) -> HoldReply:
        """The bank has paid: turn the hold into postings of the amount and the fee."""
        _itself(call)
        payment_id = _payment_id(call)
        done = await self._store.post_hold(payment_id, call.body.bank_reference, context.traceparent.get())
        _refuse(done["refusal"])
        return HoldReply(
            done["id"], payment_id, "posted", transfer_id=done["transfer_id"], resolved_at=done["at"]
        )

    async def void_hold(self, call: Call[VoidRequest]) -> HoldReply:
        """The bank has not paid: give the money back. Without a hold, none can be made any more."""
        _itself(call)
        payment_id = _payment_id(call)
        done = await self._store.void_hold(payment_id, context.traceparent.get())
        _refuse(done["refusal"])
        return HoldReply(done["id"], payment_id, "voided", resolved_at=done["at"])

    async def post_return(self, call: Call[ReturnRequest]) -> TransferReply:
        """The bank has returned money: give it to the payer, once for each refund."""
        _itself(call)
        payment_id = _payment_id(call)
        done = await self._store.post_return(payment_id, call.body, context.traceparent.get())
        _refuse(done["refusal"])
        return TransferReply(done["id"], payment_id, "refund", call.body.refund_id, done["at"])

    async def validate(self, call: Call[ValidateRequest]) -> ValidateReply:
        """Whether a payment could be posted now. An account of another customer is not found."""
        if call.caller != PAYMENTS:
            raise Problem("caller_not_allowed")
        call.act_for(call.body.customer_id)
        row = await self._store.validate(call.body)
        if row["refusal"] is None:
            return ValidateReply(True, None, None, presentation.account(row))
        why = refusal(row["refusal"])
        hidden = why.field == "from_account" and why.code == "account_not_found"
        return ValidateReply(False, why.code, why.field, None if hidden else presentation.account(row))


def _mover(call: Call[B]) -> str | None:
    """The customer for whom money is moved, None when a service or an operator moves it."""
    if call.caller != PAYMENTS:
        raise Problem("caller_not_allowed")
    actor = call.actor
    if actor is None:
        return None
    if not may_change(actor.role):
        raise Problem("forbidden")
    return owner(actor.role, actor.customer_id)


def _itself(call: Call[B]) -> None:
    """For what confirm-service does in its own name: no customer can have it done."""
    if call.caller != PAYMENTS:
        raise Problem("caller_not_allowed")
    if call.actor is not None and call.actor.role == "customer":
        raise Problem("forbidden")


def _payment_id(call: Call[B]) -> str:
    payment_id = call.path("payment_id")
    if re.search(ID, payment_id) is None:
        raise Problem("payment_not_found")
    return payment_id


def _refuse(text: str | None) -> None:
    if text is not None:
        why = refusal(text)
        raise Problem(why.code, why.message, errors=[{"field": why.field, "message": why.message}])
