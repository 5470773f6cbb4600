"""Confirming a payment: the request's path, and the one by which the janitor goes on with it."""

from time import monotonic
from typing import Any

import msgspec

from payments.common import tracing
from payments.common.errors import Problem
from payments.common.ids import new_id
from payments.confirm import answers
from payments.confirm.answers import Answer
from payments.confirm.bodies import Confirmation
from payments.confirm.domain import Action, Payment, Stage
from payments.confirm.idempotency import Key
from payments.confirm.store import Begun, Store, decode_payment
from payments.confirm.usecases.authorize import Authorize
from payments.confirm.usecases.execute import Execute
from payments.confirm.usecases.settlement import Attempt, Settlement


class Confirm:
    """Phase A (begin), checks, phase B (the money moves), phase C (the end). Two database calls here.

    Args:
        patience: seconds within which an attempt may begin steps that move money; well below the lease.
    """

    def __init__(
        self, store: Store, settlement: Settlement, authorize: Authorize, execute: Execute, *, patience: float
    ) -> None:
        self._store = store
        self._settlement = settlement
        self._authorize = authorize
        self._execute = execute
        self._patience = patience

    async def __call__(
        self, request: Confirmation, key: Key, customer_id: str, actor_token: str | None
    ) -> Answer:
        """Confirm on behalf of its owner. Raises Problem when nothing could begin."""
        tracing.note_payment(request.payment_id)
        until = monotonic() + self._patience
        changes: dict[str, Any] = {"confirm_route": key.route, "confirm_key": key.key, "last_error": None}
        begun = await self._store.act(
            request.payment_id,
            Action.CONFIRM,
            key,
            customer_id=customer_id,
            changes=changes,
            expected=request.expected,
            claim=new_id(),
        )
        if begun.outcome != "done":
            return not_begun(begun, key, request.payment_id)
        assert begun.body is not None
        attempt = Attempt(decode_payment(begun.body), key.route, until, request.otp, actor_token)
        return await self.advance(attempt)

    async def resume(self, payment: Payment) -> Answer:
        """Go on with a payment whose attempt ended without a result, as the service itself."""
        tracing.note_payment(payment.id)
        route = payment.confirm_route or answers.CONFIRM_ROUTE
        attempt = Attempt(payment, route, monotonic() + self._patience)
        if not payment.off_us:
            # The earlier attempt may have moved the money; to another bank that is written down before.
            done = await self._execute.resume_on_us(attempt, self._authorize.afterwards)
            if done is not None:
                return done
        return await self.advance(attempt)

    async def advance(self, attempt: Attempt) -> Answer:
        """From the recovery point to an end."""
        payment = attempt.payment
        if payment.stage is Stage.SUBMITTED:
            return await self._execute.resume_off_us(attempt)
        changes: dict[str, Any] = {}
        if payment.stage is Stage.NEW:
            authorized = await self._authorize(attempt)
            if isinstance(authorized, Answer):
                return authorized
            attempt, changes = authorized
        if payment.off_us:
            return await self._execute.off_us(attempt, changes)
        return await self._execute.on_us(attempt, changes)


def not_begun(begun: Begun, key: Key, payment_id: str) -> Answer:
    """The answer when an action did not begin. Raises Problem when that is an error."""
    if begun.outcome == "replay":
        return replay(begun.status, begun.body, payment_id)
    if begun.outcome == "waiting":
        assert begun.body is not None
        status = msgspec.json.decode(begun.body)["status"]
        return answers.current(key.route, begun.body, status, payment_id)
    raise not_begun_problem(begun)


def replay(status: int | None, body: str | None, payment_id: str) -> Answer:
    """A final answer, byte for byte as it was first given."""
    assert status is not None and body is not None
    location = answers.url(payment_id) if status == 201 else None
    return Answer(status, body.encode(), location, replayed=True)


def not_begun_problem(begun: Begun) -> Problem:
    """Why an action did not begin."""
    if begun.outcome == "not_found":
        return Problem("payment_not_found")
    if begun.outcome == "key_reused":
        return Problem("idempotency_key_reused", "Use a new key for another request")
    if begun.outcome == "in_flight":
        return Problem("idempotency_key_in_flight", retry_after=1)
    assert begun.body is not None
    if begun.outcome == "mismatch":
        fields = msgspec.json.decode(begun.body, type=list[str])
        errors = [{"field": name, "message": "is not the stored payment's"} for name in fields]
        return Problem("payment_mismatch", errors=errors)
    if begun.outcome == "exceeds":
        return Problem("refund_exceeds_payment", members={"payment": msgspec.Raw(begun.body.encode())})
    return answers.illegal(begun.body)
