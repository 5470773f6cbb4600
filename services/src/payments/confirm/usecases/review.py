"""An operator decides about a payment that is under review."""

from time import monotonic
from typing import Any

from payments.common.errors import Problem
from payments.common.ids import new_id
from payments.common.outbox import Relay
from payments.confirm import measures
from payments.confirm.answers import Answer
from payments.confirm.domain import Action
from payments.confirm.idempotency import Key
from payments.confirm.store import Store, decode_payment
from payments.confirm.usecases.confirm import Confirm, not_begun
from payments.confirm.usecases.settlement import Attempt

REFUSED = {"code": "payment_refused", "message": Problem("payment_refused").kind.title}


class Review:
    """Approving sends the payment through its checks once more, and on; rejecting ends it."""

    def __init__(self, store: Store, confirm: Confirm, relay: Relay, *, patience: float) -> None:
        self._store = store
        self._confirm = confirm
        self._relay = relay
        self._patience = patience

    async def approve(self, payment_id: str, key: Key, operator: str, actor_token: str | None) -> Answer:
        """The payment's answer as for /v1: a high risk still asks the customer for a password."""
        until = monotonic() + self._patience
        changes: dict[str, Any] = {"reviewed_by": operator, "next_action": None}
        begun = await self._store.act(
            payment_id, Action.APPROVE, key, customer_id=None, changes=changes, claim=new_id()
        )
        if begun.outcome != "done":
            return not_begun(begun, key, payment_id)
        assert begun.body is not None
        attempt = Attempt(decode_payment(begun.body), key.route, until, None, actor_token)
        answer = await self._confirm.advance(attempt)
        if answer.status not in (202, 503):
            await self._store.answer_key(key, answer.status, answer.body)
        return answer

    async def reject(self, payment_id: str, key: Key, operator: str) -> Answer:
        """200 with the payment, which has failed. Raises Problem."""
        changes = {"reviewed_by": operator, "failure": REFUSED, "next_action": None}
        begun = await self._store.act(payment_id, Action.REJECT, key, customer_id=None, changes=changes)
        if begun.outcome != "done":
            return not_begun(begun, key, payment_id)
        measures.rejected()
        self._relay.wake()
        assert begun.body is not None
        return Answer(200, begun.body.encode())
