from decimal import Decimal

import pytest

from payments.risk.domain import RULES, Facts, SanctionsDecision, assess, graver

LIMIT = Decimal(75_000)


def facts(
    amount: str = "10",
    payments: int = 0,
    verified: bool = True,
    sanctions: SanctionsDecision = "clear",
) -> Facts:
    return Facts(Decimal(amount), payments, verified, sanctions)


@pytest.mark.parametrize(
    ("amount", "payments", "score", "level"),
    [
        ("5000.00", 5, 0, "LOW"),
        ("5000.01", 0, 30, "LOW"),
        ("10000.00", 0, 30, "LOW"),
        ("10000.01", 0, 50, "HIGH"),
        ("1", 6, 25, "LOW"),
        ("5000.01", 6, 55, "HIGH"),
        ("10000.01", 6, 75, "HIGH"),
    ],
)
def test_amount_and_frequency_score_as_ever(amount: str, payments: int, score: int, level: str) -> None:
    found = assess(facts(amount, payments), LIMIT)
    assert (found.score, found.level, found.decision) == (score, level, "allow")


def test_a_sanctioned_customer_is_refused() -> None:
    found = assess(facts(sanctions="match"), LIMIT)
    assert (found.score, found.level, found.decision) == (100, "HIGH", "refuse")
    assert found.reasons == ("sanctioned",)


def test_an_unverified_customer_is_refused_though_the_score_is_low() -> None:
    found = assess(facts(verified=False), LIMIT)
    assert (found.score, found.level, found.decision) == (40, "LOW", "refuse")


def test_a_possible_match_waits_for_a_person_and_scores_nothing() -> None:
    found = assess(facts(sanctions="possible_match"), LIMIT)
    assert (found.score, found.decision, found.reasons) == (0, "review", ("possible_sanctions_match",))


@pytest.mark.parametrize(("amount", "decision"), [("75000.00", "allow"), ("75000.01", "review")])
def test_large_amounts_wait_for_a_person(amount: str, decision: str) -> None:
    assert assess(facts(amount), LIMIT).decision == decision


def test_refusal_goes_before_review() -> None:
    assert assess(facts("80000", verified=False, sanctions="possible_match"), LIMIT).decision == "refuse"


def test_every_rule_has_a_code_of_its_own() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)


def test_the_graver_decision_wins() -> None:
    assert graver("clear", "possible_match") == graver("possible_match", "clear") == "possible_match"
    assert graver("match", "possible_match") == "match"
