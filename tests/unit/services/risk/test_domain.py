"""The built-in rules decide as the original's did; none softens the law; simulated ones change nothing."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from payments.risk import rules
from payments.risk.domain import Outcome, assess, graver
from payments.risk.facts import Facts, SanctionsDecision

BUILTIN = rules.read()
LIMIT = Decimal(75_000)


def facts(
    amount: str = "10",
    payments: int = 0,
    verified: bool = True,
    sanctions: SanctionsDecision = "clear",
) -> Facts:
    return Facts(Decimal(amount), "USD", verified, sanctions, payments, Decimal(amount) > LIMIT)


def decide(given: Facts) -> Outcome:
    return assess(given, BUILTIN).outcome


def document(*given: dict[str, Any], **more: Any) -> rules.RuleSet:
    return rules.read(json.dumps({"rules": given, **more}))


def rule(code: str = "a_rule", points: int = 60, **more: Any) -> dict[str, Any]:
    when = [{"fact": "amount", "op": ">", "value": 1}]
    return {"code": code, "points": points, "reason": "Because", "when": when} | more


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
    found = decide(facts(amount, payments))
    assert (found.score, found.level, found.decision) == (score, level, "allow")


def test_a_sanctioned_customer_is_refused() -> None:
    found = decide(facts(sanctions="match"))
    assert (found.score, found.level, found.decision) == (100, "HIGH", "refuse")
    assert found.reasons == ("sanctioned",)


def test_an_unverified_customer_is_refused_though_the_score_is_low() -> None:
    found = decide(facts(verified=False))
    assert (found.score, found.level, found.decision) == (40, "LOW", "refuse")


def test_a_possible_match_waits_for_a_person_and_scores_nothing() -> None:
    found = decide(facts(sanctions="possible_match"))
    assert (found.score, found.decision, found.reasons) == (0, "review", ("possible_sanctions_match",))


@pytest.mark.parametrize(("amount", "decision"), [("75000.00", "allow"), ("75000.01", "review")])
def test_large_amounts_wait_for_a_person(amount: str, decision: str) -> None:
    assert decide(facts(amount)).decision == decision


def test_refusal_goes_before_review() -> None:
    assert decide(facts("80000", verified=False, sanctions="possible_match")).decision == "refuse"


def test_no_rules_soften_the_law() -> None:
    harmless = document(rule(points=0))
    assert assess(facts(sanctions="match"), harmless).outcome.decision == "refuse"
    assert assess(facts(verified=False), harmless).outcome.decision == "refuse"
    assert assess(facts(sanctions="possible_match"), harmless).outcome.decision == "review"
    assert assess(facts("80000"), harmless).outcome.decision == "allow"  # the limit is a rule like others


@pytest.mark.parametrize("decision", ["review", "refuse"])
def test_a_rule_may_ask_for_a_decision(decision: str) -> None:
    found = assess(facts(), document(rule(points=0, decision=decision))).outcome
    assert (found.decision, found.level, found.reasons) == (decision, "LOW", ("a_rule",))


def test_the_gravest_of_the_rules_decisions_counts() -> None:
    both = document(rule("one", decision="refuse"), rule("two", decision="review"))
    assert assess(facts(sanctions="possible_match"), both).outcome.decision == "refuse"


def test_a_simulated_rule_is_recorded_and_changes_nothing() -> None:
    found = assess(facts(), document(rule("real", points=10), rule(mode="simulate", decision="refuse")))
    assert found.outcome == Outcome(10, "LOW", "allow", ("real",))
    assert found.simulated == Outcome(70, "HIGH", "refuse", ("real", "a_rule"))


def test_a_simulated_document_leaves_the_built_in_rules_in_force() -> None:
    strict = document(rule(decision="refuse"), mode="simulate", high=10)
    found = assess(facts("6000"), strict)
    assert found.outcome == decide(facts("6000")) == Outcome(30, "LOW", "allow", ("amount_over_5000",))
    assert found.simulated == Outcome(60, "HIGH", "refuse", ("a_rule",))


def test_the_score_from_which_risk_is_high_is_a_matter_of_the_document() -> None:
    assert assess(facts(), document(rule(points=20), high=20)).outcome.level == "HIGH"
    assert assess(facts(), document(rule(points=20), high=21)).outcome.level == "LOW"


def test_what_is_not_known_makes_no_rule_apply() -> None:
    given = document(rule(when=[{"fact": "sum_24h", "op": ">=", "value": 0}]))
    assert assess(facts(), given).outcome.reasons == ()
    assert assess(replace(facts(), sum_24h=Decimal(0)), given).outcome.reasons == ("a_rule",)


def test_built_in_rules_on_velocity_are_only_simulated() -> None:
    busy = replace(facts("1500"), payments_1h=11, sum_24h=Decimal(20_001), new_payee=True)
    found = assess(busy, BUILTIN)
    assert found.outcome == Outcome(0, "LOW", "allow", ())
    assert found.simulated.score == 65


def test_the_graver_decision_wins() -> None:
    assert graver("clear", "possible_match") == graver("possible_match", "clear") == "possible_match"
    assert graver("match", "possible_match") == "match"
