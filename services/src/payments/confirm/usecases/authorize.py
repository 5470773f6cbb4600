"""May this payment be made? KYC, OFAC and risk (in this order, inside risk-service), then the password."""

import logging
from dataclasses import replace
from typing import Any

from payments.common import tracing
from payments.common.errors import Problem
from payments.confirm import answers
from payments.confirm.answers import Answer
from payments.confirm.domain import Payment, Stage
from payments.confirm.peers import Assessment, Otp, Risk
from payments.confirm.store import Store
from payments.confirm.usecases.settlement import Attempt, Settlement

log = logging.getLogger(__name__)


class Authorize:
    """Everything that must be passed before money moves; fails closed."""

    def __init__(self, store: Store, settlement: Settlement, risk: Risk, otp: Otp) -> None:
        self._store = store
        self._settlement = settlement
        self._risk = risk
        self._otp = otp

    async def __call__(self, attempt: Attempt) -> tuple[Attempt, dict[str, Any]] | Answer:
        """The attempt, authorized, with what its end must note; or how it ended here."""
        payment = attempt.payment
        try:
            assessment = await self._risk.assess(payment, attempt.actor_token)
        except Problem as problem:
            return await self._settlement.release(attempt, problem, final=False)
        tracing.note({"payment.risk_level": assessment.risk_level})
        changes: dict[str, Any] = {"assessment": assessment.stored()}
        if assessment.decision == "review" and not payment.reviewed:
            return await self._settlement.ask_review(attempt, changes)
        if assessment.decision not in ("allow", "review"):
            return await self._settlement.fail(attempt, Problem("payment_refused"), changes)
        # A password that was asked for once stays asked for.
        if payment.otp_required or assessment.risk_level != "LOW":
            refused = await self._password(attempt, changes)
            if refused is not None:
                return refused
            if not await self._authorized(payment, assessment):
                return await self._settlement.leave_to_janitor(attempt)
        return replace(attempt, payment=replace(payment, stage=Stage.AUTHORIZED)), changes

    async def afterwards(self, attempt: Attempt) -> dict[str, Any] | None:
        """The assessment of a payment that a crash kept from being stored, though the money has moved.

        By the same velocity and rules; what KYC and OFAC say is as of now. None when nobody answers.
        """
        try:
            assessment = await self._risk.assess(attempt.payment, None)
        except Problem:
            return None
        if assessment.decision != "allow":
            fields = {"payment_id": attempt.payment.id, "decision": assessment.decision}
            log.error("a payment that was posted would now be stopped", extra=fields)
        return {**assessment.stored(), "after_posting": True}

    async def _authorized(self, payment: Payment, assessment: Assessment) -> bool:
        """Commit that the password was right: it cannot be asked again after a crash."""
        return await self._store.advance(payment, Stage.AUTHORIZED, assessment.stored())

    async def _password(self, attempt: Attempt, changes: dict[str, Any]) -> Answer | None:
        """None when the password was right."""
        payment = attempt.payment
        try:
            if attempt.otp is None:
                return await self._send_password(attempt, changes)
            verified = await self._otp.verify(payment, attempt.otp, attempt.actor_token)
        except Problem as problem:
            if problem.code == "service_unavailable":
                return await self._settlement.release(attempt, problem, changes, final=False)
            if problem.code == "otp_restart":
                problem = answers.otp_problem(attempt.route, "exhausted", 0)
            return await self._settlement.ask_otp(attempt, changes, problem)
        if verified.valid:
            return None
        wrong = answers.otp_problem(attempt.route, verified.reason, verified.tries_left)
        return await self._settlement.ask_otp(attempt, changes, wrong)

    async def _send_password(self, attempt: Attempt, changes: dict[str, Any]) -> Answer:
        sent = await self._otp.generate(attempt.payment, attempt.actor_token, resend=False)
        changes = {**changes, "next_action": otp_action(sent.expires_at)}
        return await self._settlement.ask_otp(attempt, changes)


def otp_action(expires_at: str | None) -> dict[str, Any]:
    """What the customer is to do: confirm again with the password that was sent."""
    return {"type": "otp", "message": "OTP verification required", "expires_at": expires_at}
