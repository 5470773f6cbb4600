"""The order of the checks, what a warm assessment asks, and that nothing passes without both answers."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import cast

import pytest

from payments.common.errors import Problem, unavailable
from payments.common.money import AmountError
from payments.risk.cache import VersionedCache
from payments.risk.facts import SanctionsDecision
from payments.risk.peers import Kyc, Ofac, Screening, Verification
from payments.risk.rules import read
from payments.risk.usecases import Assessor, Question, Velocity


class Peers:
    """Both peers, with a record of what they were asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.down: set[str] = set()
        self.versions = {"kyc": "1", "ofac": "1"}
        self.sanctions: dict[str, SanctionsDecision] = {}
        self.customer = Verification("c", True, "verified", "full", "Ann Lee", "US", None, 1, "individual")

    async def check(self, customer_id: str) -> Verification:
        self._ask("kyc", customer_id)
        return self.customer

    async def screen_customer(self, customer: Verification) -> Screening:
        self._ask("ofac", customer.name or "")
        return Screening(self.sanctions.get(customer.name or "", "clear"), 0.5, 7)

    async def screen_name(self, name: str) -> Screening:
        self._ask("ofac", name)
        return Screening(self.sanctions.get(name, "clear"), 0.9, 7)

    async def kyc_version(self) -> str:
        return self.versions["kyc"]

    async def ofac_version(self) -> str:
        return self.versions["ofac"]

    def _ask(self, peer: str, what: str) -> None:
        self.asked.append(f"{peer} {what}")
        if peer in self.down:
            raise unavailable(peer)


class Stand:
    """An assessor over fake peers."""

    def __init__(self) -> None:
        self.peers = Peers()
        self.customers = VersionedCache[Verification](self.peers.kyc_version, size=10)
        self.screenings = VersionedCache[Screening](self.peers.ofac_version, size=10)
        kyc, ofac = cast(Kyc, self.peers), cast(Ofac, self.peers)
        self.assessor = Assessor(kyc, ofac, self.customers, self.screenings, Decimal(75_000), read())

    async def poll(self) -> None:
        await self.customers.poll()
        await self.screenings.poll()

    async def ask(self, amount: int = 1000, currency: str = "USD", to_name: str | None = None) -> str:
        answer = await self.assessor.assess(Question("c", amount, currency, 0, to_name))
        return answer.assessment.outcome.decision


@pytest.fixture
def stand() -> Stand:
    return Stand()


async def test_verification_comes_first_and_gives_the_name_to_screen(stand: Stand) -> None:
    assert await stand.ask() == "allow"
    assert stand.peers.asked == ["kyc c", "ofac Ann Lee"]


async def test_a_warm_assessment_asks_nobody(stand: Stand) -> None:
    await stand.poll()
    await stand.ask(to_name="Bo Chu")
    stand.peers.asked.clear()
    await stand.poll()
    assert await stand.ask(to_name="Bo Chu") == "allow"
    assert stand.peers.asked == []


async def test_a_change_at_a_peer_is_followed(stand: Stand) -> None:
    await stand.poll()
    await stand.ask()
    stand.peers.versions["ofac"] = "2"
    stand.peers.sanctions["Ann Lee"] = "match"
    await stand.poll()
    assert await stand.ask() == "refuse"
    assert stand.peers.asked == ["kyc c", "ofac Ann Lee", "ofac Ann Lee"]


async def test_a_new_name_is_screened_anew(stand: Stand) -> None:
    await stand.poll()
    await stand.ask()
    stand.peers.versions["kyc"] = "2"
    stand.peers.customer = Verification("c", True, "verified", "full", "Ann Leigh", "US", None, 2)
    await stand.poll()
    await stand.ask()
    assert stand.peers.asked[-2:] == ["kyc c", "ofac Ann Leigh"]


@pytest.mark.parametrize("peer", ["kyc", "ofac"])
async def test_without_an_answer_nothing_is_assessed(stand: Stand, peer: str) -> None:
    stand.peers.down.add(peer)
    with pytest.raises(Problem) as raised:
        await stand.ask()
    assert raised.value.status == 503


@pytest.mark.parametrize(
    ("decision", "expected"), [("match", "refuse"), ("possible_match", "review"), ("clear", "allow")]
)
async def test_the_payee_is_screened_too(stand: Stand, decision: SanctionsDecision, expected: str) -> None:
    stand.peers.sanctions["Bo Chu"] = decision
    assert await stand.ask(to_name="Bo Chu") == expected


async def test_a_cleared_payee_does_not_clear_the_customer(stand: Stand) -> None:
    stand.peers.sanctions["Ann Lee"] = "possible_match"
    assert await stand.ask(to_name="Bo Chu") == "review"


async def test_thresholds_are_in_major_units_of_the_currency(stand: Stand) -> None:
    async def score(amount: int, currency: str) -> int:
        answer = await stand.assessor.assess(Question("c", amount, currency, 0, None))
        return answer.assessment.outcome.score

    assert await score(500_001, "USD") == 30
    assert await score(5_001, "JPY") == 30
    assert await score(500_001, "KWD") == 0
    assert await score(5_000_001, "KWD") == 30
    with pytest.raises(AmountError):
        await score(1, "XXX")


def test_a_verification_with_documents_ends_with_their_last_day() -> None:
    last = date(2026, 5, 4)
    customer = Verification("c", True, "verified", "full", "A", None, None, 1, documents_expire_on=last)
    assert customer.until == (datetime(2026, 5, 4, tzinfo=UTC) + timedelta(days=1)).timestamp()


async def test_the_rules_see_amounts_in_major_units_and_what_came_before(stand: Stand) -> None:
    before = Velocity(
        payments_1h=2, payments_7d=9, sum_1h=100, sum_24h=2_000_050, sum_7d=3_000_000, new_payee=True
    )
    answer = await stand.assessor.assess(Question("c", 150_001, "USD", 4, None, before))
    assert answer.facts.known() == {
        "amount": "1500.01",
        "currency": "USD",
        "verified": True,
        "sanctions": "clear",
        "payments_24h": 4,
        "over_review_limit": False,
        "to_other_bank": False,
        "kyc_level": "full",
        "country": "US",
        "payments_1h": 2,
        "payments_7d": 9,
        "sum_1h": "1.00",
        "sum_24h": "20000.50",
        "sum_7d": "30000.00",
        "new_payee": True,
    }
    assert answer.assessment.outcome.reasons == ()
    assert answer.assessment.simulated.reasons == ("over_20000_in_24h", "new_payee_over_1000")
