"""How an attempt on a payment ends: each way out of processing, with its answer."""

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

import msgspec

from payments.common import tracing
from payments.common.errors import Problem
from payments.common.ids import new_id
from payments.common.outbox import Relay
from payments.confirm import answers, domain, measures
from payments.confirm.answers import Answer
from payments.confirm.domain import Action, Payment
from payments.confirm.store import Settled, Store

#: What becomes of the payment, as its status says it.
_OUTCOMES = {
    Action.SUCCEED: "succeeded",
    Action.FAIL: "failed",
    Action.ASK_OTP: "requires_action",
    Action.ASK_REVIEW: "requires_review",
    Action.RELEASE: "requires_confirmation",
}
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32


@dataclass(frozen=True, slots=True)
class Attempt:
    """One go at a payment that is processing, by a request or by the janitor.

    Args:
        route: whose answers are given (see `answers`).
        until: no new step that moves money begins after this moment (monotonic seconds), so that none is
            under way when the janitor takes the payment over.
    """

    payment: Payment
    route: str
    until: float
    otp: str | None = None
    actor_token: str | None = None

    @property
    def late(self) -> bool:
        """True when no further step may begin."""
        return monotonic() > self.until


def reference() -> str:
    """A new payment reference: PAY and the 128 bits of a UUIDv7 in 26 characters, sorting by time."""
    number = int(new_id().replace("-", ""), 16)
    return "PAY" + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


class Settlement:
    """Ends attempts. Every method answers; when the payment was taken over, with what it is now."""

    def __init__(self, store: Store, relay: Relay) -> None:
        self._store = store
        self._relay = relay

    async def succeed(self, attempt: Attempt, changes: dict[str, Any]) -> Answer:
        """The money has moved."""
        payment = attempt.payment
        changes = {
            **changes,
            "reference": payment.bank_reference or reference(),
            "next_action": None,
            "last_error": None,
        }
        try:
            settled = await self._settle(attempt, Action.SUCCEED, changes, 200)
        except Problem:
            return await self.leave_to_janitor(attempt)
        if settled.outcome == "lost":
            return self._lost(attempt, settled)
        # The confirm route's own shape; an approval is answered with the payment.
        final = settled.body if attempt.route == payment.confirm_route else settled.document
        return Answer(200, final.encode())

    async def fail(self, attempt: Attempt, problem: Problem, changes: dict[str, Any]) -> Answer:
        """The payment will never be made."""
        failure = {"code": problem.code, "message": problem.kind.title}
        changes = {**changes, "failure": failure, "next_action": None, "last_error": None}
        try:
            return await self._end(attempt, Action.FAIL, problem, changes, final=True)
        except Problem:
            return await self.leave_to_janitor(attempt)

    async def release(
        self, attempt: Attempt, problem: Problem, changes: dict[str, Any] | None = None, *, final: bool
    ) -> Answer:
        """The attempt had no effect; the payment may be confirmed again.

        Args:
            final: keep the answer, so that trying again takes a new key.
        """
        action = attempt.payment.release
        error = {"code": problem.code, "message": problem.detail or problem.kind.title}
        changes = {"last_error": error, "stage": "new", **(changes or {})}
        if action is Action.RELEASE:
            changes["next_action"] = None
        return await self._end(attempt, action, problem, changes, final=final)

    async def ask_otp(
        self, attempt: Attempt, changes: dict[str, Any], problem: Problem | None = None
    ) -> Answer:
        """The customer is to send a one-time password; the key stays open for it."""
        changes = {"otp_required": True, **changes}
        return await self._end(attempt, Action.ASK_OTP, problem, changes, final=False)

    async def ask_review(self, attempt: Attempt, changes: dict[str, Any]) -> Answer:
        """An operator is to decide; the key stays open for the outcome."""
        changes = {**changes, "next_action": {"type": "review", "message": "The payment is being reviewed"}}
        return await self._end(attempt, Action.ASK_REVIEW, None, changes, final=False)

    async def leave_to_janitor(self, attempt: Attempt) -> Answer:
        """Nobody knows whether the money has moved: it will be asked for, with growing patience."""
        payment = attempt.payment
        tracing.note({"payment.outcome": "unknown"})
        delay = timedelta(seconds=min(60, 2**payment.checks))
        try:
            document = await self._store.postpone(payment, delay)
        except Problem:
            document = None  # the lease runs out, then the janitor takes over all the same
        measures.ended(payment, "unknown", {})
        body = (
            document
            or msgspec.json.encode({"id": payment.id, "object": "payment", "status": "processing"}).decode()
        )
        return answers.current(attempt.route, body, "processing", payment.id)

    async def _end(
        self,
        attempt: Attempt,
        action: Action,
        problem: Problem | None,
        changes: dict[str, Any],
        *,
        final: bool,
    ) -> Answer:
        payment = attempt.payment
        route = payment.confirm_route or attempt.route
        told = None if problem is None else problem.body(answers.instance(route, payment.id))
        code = problem.status if problem is not None and final else None
        why = "" if problem is None else problem.code
        settled = await self._settle(attempt, action, changes, code, told, why)
        if settled.outcome == "lost":
            return self._lost(attempt, settled)
        if problem is not None:
            assert told is not None
            return Answer(problem.status, told, retry_after=problem.retry_after)
        status = msgspec.json.decode(settled.document)["status"]
        return answers.current(attempt.route, settled.document, status, payment.id)

    async def _settle(
        self,
        attempt: Attempt,
        action: Action,
        changes: dict[str, Any],
        code: int | None,
        body: bytes | None = None,
        why: str = "",
    ) -> Settled:
        settled = await self._store.settle(attempt.payment, action, changes, status_code=code, body=body)
        if settled.outcome != "lost":
            measures.ended(attempt.payment, domain.target(action), changes, why)
        self._relay.wake()
        if settled.outcome != "lost":
            tracing.note({"payment.outcome": _OUTCOMES.get(action, action.value)})
        return settled

    @staticmethod
    def _lost(attempt: Attempt, settled: Settled) -> Answer:
        status = msgspec.json.decode(settled.document)["status"]
        return answers.current(attempt.route, settled.document, status, attempt.payment.id)
