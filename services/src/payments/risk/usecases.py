"""Assessing a payment: KYC first, then sanctions, then the rules."""

import time
from dataclasses import dataclass
from decimal import Decimal

from payments.common import money
from payments.risk.cache import VersionedCache
from payments.risk.domain import Assessment, Facts, assess, graver
from payments.risk.peers import Kyc, Ofac, Screening, Verification


@dataclass(frozen=True, slots=True)
class Question:
    """The payment to assess; `amount` in minor units, `payments_24h` without this payment."""

    customer_id: str
    amount: int
    currency: str
    payments_24h: int
    to_name: str | None


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
    ) -> None:
        self._kyc = kyc
        self._ofac = ofac
        self._customers = customers
        self._screenings = screenings
        self._review_limit = review_limit

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
        facts = Facts(amount, question.payments_24h, customer.verified, decision)
        return Answer(assess(facts, self._review_limit), facts, customer, screening)

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
