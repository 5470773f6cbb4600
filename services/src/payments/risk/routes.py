"""Routes of risk-service."""

from typing import Annotated, Any

import msgspec
from starlette.routing import Route

from payments.common import metrics, tracing
from payments.common.errors import Problem
from payments.common.money import MAX_MINOR, AmountError
from payments.common.routes import Call, post
from payments.risk.domain import Decision, Level, Outcome
from payments.risk.facts import SanctionsDecision
from payments.risk.usecases import Assessor, Question, Velocity

ASSESSMENTS = metrics.counter(
    "payments_risk_assessments_total",
    "Assessments of payments, by level and decision.",
    ["level", "decision"],
)
metrics.from_zero(ASSESSMENTS, ("LOW", "HIGH"), ("allow", "review", "refuse"))

_Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._:-]{1,128}\Z")]


_Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
_Minor = Annotated[int, msgspec.Meta(ge=0)]


class VelocityPart(msgspec.Struct):
    """The customer's other payments, by window; sums in minor units."""

    payments_1h: _Count
    payments_7d: _Count
    sum_1h: _Minor
    sum_24h: _Minor
    sum_7d: _Minor
    new_payee: bool

    def plain(self) -> Velocity:
        """As the assessor takes it."""
        return Velocity(
            self.payments_1h, self.payments_7d, self.sum_1h, self.sum_24h, self.sum_7d, self.new_payee
        )


class AssessRequest(msgspec.Struct):
    """The payment to assess, amount in minor units; `to_name` is the payee at another bank."""

    payment_id: _Id
    customer_id: _Id
    amount: Annotated[int, msgspec.Meta(ge=1, le=MAX_MINOR)]
    currency: str
    payments_24h: _Count
    to_name: Annotated[str, msgspec.Meta(max_length=512, pattern=r"\A[^\x00]*\Z")] | None = None
    velocity: VelocityPart | None = None


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
    """The assessment.

    `simulated` is what would have been decided if simulated rules counted, too; `facts` is what rules saw.
    """

    payment_id: str
    customer_id: str
    risk_score: int
    risk_level: Level
    decision: Decision
    reasons: tuple[str, ...]
    factors: Factors
    kyc: KycPart
    sanctions: SanctionsPart
    rules_version: str
    simulated: Outcome
    facts: dict[str, Any]


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
        question = Question(
            body.customer_id,
            body.amount,
            body.currency,
            body.payments_24h,
            body.to_name,
            None if body.velocity is None else body.velocity.plain(),
        )
        try:
            answer = await self._assessor.assess(question)
        except AmountError as error:
            errors = [{"field": "currency", "message": str(error)}]
            raise Problem("validation_failed", errors=errors) from error
        ASSESSMENTS.labels(answer.assessment.outcome.level, answer.assessment.outcome.decision).inc()
        tracing.note({"payment.risk_level": answer.assessment.outcome.level})
        found, customer, screening = answer.assessment.outcome, answer.customer, answer.screening
        return AssessReply(
            payment_id=body.payment_id,
            customer_id=body.customer_id,
            risk_score=found.score,
            risk_level=found.level,
            decision=found.decision,
            reasons=found.reasons,
            factors=Factors(
                amount=answer.facts.amount > 5_000,
                frequency=answer.facts.payments_24h > 5,
                sanctions=answer.facts.sanctions == "match",
                kyc_verified=customer.verified,
            ),
            kyc=KycPart(customer.status, customer.level, customer.version),
            sanctions=SanctionsPart(screening.decision, screening.score, screening.list_version),
            rules_version=answer.assessment.rules_version,
            simulated=answer.assessment.simulated,
            facts=answer.facts.known(),
        )
