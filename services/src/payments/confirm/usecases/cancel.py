"""Canceling a payment that no money was moved for."""

from payments.common.outbox import Relay
from payments.confirm import measures
from payments.confirm.answers import Answer
from payments.confirm.domain import Action
from payments.confirm.idempotency import Key
from payments.confirm.store import Store
from payments.confirm.usecases.confirm import not_begun


class Cancel:
    """One database call: the state and the answer change together."""

    def __init__(self, store: Store, relay: Relay) -> None:
        self._store = store
        self._relay = relay

    async def __call__(self, payment_id: str, key: Key, customer_id: str) -> Answer:
        """200 with the payment. Raises Problem."""
        changes = {"cancellation_reason": "requested_by_customer", "next_action": None}
        begun = await self._store.act(
            payment_id, Action.CANCEL, key, customer_id=customer_id, changes=changes
        )
        if begun.outcome != "done":
            return not_begun(begun, key, payment_id)
        measures.canceled(code="requested_by_customer")
        self._relay.wake()
        assert begun.body is not None
        return Answer(200, begun.body.encode())
