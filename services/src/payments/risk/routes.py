"""Routes of risk-service."""

from typing import Annotated

import msgspec
from starlette.routing import Route

from payments.common.errors import Problem
from payments.common.money import MAX_MINOR, AmountError
from payments.common.routes import Call, post
from payments.risk.domain import Decision, Level, SanctionsDecision
from payments.risk.usecases import Assessor, Question

_Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._:-]{1,128}\Z")]


class AssessRequest(msgspec.Struct):
    """The payment to assess, amount in minor units; `to_name` is the payee at another bank."""

    payment_id: _Id
    customer_id: _Id
    amount: Annotated[int, msgspec.Meta(ge=1, le=MAX_MINOR)]
    currency: str
    payments_24h: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    to_name: Annotated[str, msgspec.Meta(max_length=512, pattern=r"\A[^\x00]*\Z")] | None = None


class Factors(msgspec.Struct):
    """What the score is about, in the original's words."""

    amount: bool
    frequency: bool
    sanctions: bool
    kyc_verified: bool


class KycPart(msgspec.Struct):
    """The verification that the assessment used."""

    status: str
    level: str | None
    version: int


class SanctionsPart(msgspec.Struct):
    """The gravest screening that the assessment used."""

    decision: SanctionsDecision
    score: float
    list_version: int


class AssessReply(msgspec.Struct):
    """The assessment."""

    payment_id: str
    customer_id: str
    risk_score: int
    risk_level: Level
    decision: Decision
    reasons: tuple[str, ...]
    factors: Factors
    kyc: KycPart
    sanctions: SanctionsPart


class Routes:
    """The handlers, over the assessor."""

    def __init__(self, assessor: Assessor) -> None:
        self._assessor = assessor

    def routes(self) -> list[Route]:
        """All routes of the service."""
        return [post("/assess-risk", AssessRequest, self.assess)]

    async def assess(self, call: Call[AssessRequest]) -> AssessReply:
        """Assess one payment."""
        body = call.body
        call.act_for(body.customer_id)
        question = Question(body.customer_id, body.amount, body.currency, body.payments_24h, body.to_name)
        try:
            answer = await self._assessor.assess(question)
        except AmountError as error:
            errors = [{"field": "currency", "message": str(error)}]
            raise Problem("validation_failed", errors=errors) from error
        found, customer, screening = answer.assessment, answer.customer, answer.screening
        return AssessReply(
            payment_id=body.payment_id,
            customer_id=body.customer_id,
            risk_score=found.score,
            risk_level=found.level,
            decision=found.decision,
            reasons=found.reasons,
            factors=Factors(
                amount="amount_over_5000" in found.reasons,
                frequency="more_than_5_payments_in_24h" in found.reasons,
                sanctions=answer.facts.sanctions == "match",
                kyc_verified=customer.verified,
            ),
            kyc=KycPart(customer.status, customer.level, customer.version),
            sanctions=SanctionsPart(screening.decision, screening.score, screening.list_version),
        )
