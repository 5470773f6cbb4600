"""Assessing a payment: KYC first, then sanctions, then the rules."""

import time
from dataclasses import dataclass, replace
from decimal import Decimal

from payments.common import money
from payments.risk.cache import VersionedCache
from payments.risk.domain import Assessment, assess, graver
from payments.risk.facts import Facts, SanctionsDecision
from payments.risk.peers import Kyc, Ofac, Screening, Verification
from payments.risk.rules import RuleSet


@dataclass(frozen=True, slots=True)
class Velocity:
    """The customer's other payments by window: how many, and the minor units of those that succeeded."""

    payments_1h: int
    payments_7d: int
    sum_1h: int
    sum_24h: int
    sum_7d: int
    new_payee: bool


@dataclass(frozen=True, slots=True)
class Question:
    """The payment to assess; `amount` in minor units, `payments_24h` without this payment."""

    customer_id: str
    amount: int
    currency: str
    payments_24h: int
    to_name: str | None
    velocity: Velocity | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The assessment with what it was based on; `screening` is the gravest of those made."""

    assessment: Assessment
    facts: Facts
    customer: Verification
    screening: Screening


class Assessor:
    """Asks the peers, or their caches when these hold, and applies the rules.

    A payment is never assessed without both answers: Problem(service_unavailable) when one cannot be had.
    """

    def __init__(
        self,
        kyc: Kyc,
        ofac: Ofac,
        customers: VersionedCache[Verification],
        screenings: VersionedCache[Screening],
        review_limit: Decimal,
        rules: RuleSet,
    ) -> None:
        self._kyc = kyc
        self._ofac = ofac
        self._customers = customers
        self._screenings = screenings
        self._review_limit = review_limit
        self._rules = rules

    async def assess(self, question: Question) -> Answer:
        """Raises Problem(service_unavailable), or AmountError for an unknown currency."""
        amount = money.to_decimal(question.amount, question.currency)
        customer = await self._verification(question.customer_id)
        screening = await self._screen_customer(customer)
        decision = screening.decision
        if question.to_name:
            payee = await self._screen_name(question.to_name)
            decision = graver(decision, payee.decision)
            if decision != screening.decision:
                screening = payee
        facts = self._facts(question, amount, customer, decision)
        return Answer(assess(facts, self._rules), facts, customer, screening)

    def _facts(
        self, question: Question, amount: Decimal, customer: Verification, sanctions: SanctionsDecision
    ) -> Facts:
        facts = Facts(
            amount=amount,
            currency=question.currency,
            verified=customer.verified,
            sanctions=sanctions,
            payments_24h=question.payments_24h,
            over_review_limit=amount > self._review_limit,
            to_other_bank=question.to_name is not None,
            kyc_level=customer.level,
            country=customer.country,
        )
        before = question.velocity
        if before is None:
            return facts
        return replace(
            facts,
            payments_1h=before.payments_1h,
            payments_7d=before.payments_7d,
            sum_1h=money.to_decimal(before.sum_1h, question.currency),
            sum_24h=money.to_decimal(before.sum_24h, question.currency),
            sum_7d=money.to_decimal(before.sum_7d, question.currency),
            new_payee=before.new_payee,
        )

    async def _verification(self, customer_id: str) -> Verification:
        found = self._customers.get(customer_id, time.time())
        if found is None:
            version = self._customers.version
            found = await self._kyc.check(customer_id)
            self._customers.put(customer_id, found, version=version, until=found.until)
        return found

    async def _screen_customer(self, customer: Verification) -> Screening:
        # Everything the answer depends on is in the key; the list's and the rules' version is the cache's.
        born, name = customer.date_of_birth, customer.name
        key = (customer.customer_id, name, customer.country, customer.kind, born)
        found = self._screenings.get(key, time.time())
        if found is None:
            version = self._screenings.version
            found = await self._ofac.screen_customer(customer)
            self._screenings.put(key, found, version=version)
        return found

    async def _screen_name(self, name: str) -> Screening:
        found = self._screenings.get(name, time.time())
        if found is None:
            version = self._screenings.version
            found = await self._ofac.screen_name(name)
            self._screenings.put(name, found, version=version)
        return found
