"""What a payment's risk is: a score from the rules, a level, a decision. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from payments.risk.facts import Facts, SanctionsDecision
from payments.risk.rules import Rule, RuleSet

Level = Literal["LOW", "HIGH"]
Decision = Literal["allow", "review", "refuse"]

_GRAVITY: dict[str, int] = {"allow": 0, "clear": 0, "review": 1, "possible_match": 1, "refuse": 2, "match": 2}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Score, level and decision, with the codes of everything that led to them."""

    score: int
    level: Level
    decision: Decision
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was decided, what simulated rules would have decided, and by which version of the rules."""

    outcome: Outcome
    simulated: Outcome
    rules_version: str


def assess(facts: Facts, rules: RuleSet) -> Assessment:
    """Sum the rules that apply; refuse, send to review or allow.

    No rule can soften the law: a sanctioned or unverified customer is refused and a possible match waits for
    an operator, whatever the rules say.
    """
    outcome = _outcome(facts, rules.enforced, rules.high)
    same = rules.simulated == rules.enforced and rules.simulated_high == rules.high
    simulated = outcome if same else _outcome(facts, rules.simulated, rules.simulated_high)
    return Assessment(outcome, simulated, rules.version)


def _outcome(facts: Facts, rules: Iterable[Rule], high: int) -> Outcome:
    applied = [rule for rule in rules if rule.applies(facts)]
    score = sum(rule.points for rule in applied)
    reasons = [rule.code for rule in applied]
    decision: Decision = "allow"
    for rule in applied:
        if rule.decision is not None:
            decision = max(decision, rule.decision, key=_GRAVITY.__getitem__)
    if facts.sanctions == "possible_match":
        reasons.append("possible_sanctions_match")
        decision = max(decision, "review", key=_GRAVITY.__getitem__)
    if facts.sanctions == "match" or not facts.verified:
        decision = "refuse"
    return Outcome(score, "HIGH" if score >= high else "LOW", decision, tuple(reasons))


def graver(one: SanctionsDecision, other: SanctionsDecision) -> SanctionsDecision:
    """The graver of two decisions."""
    return max(one, other, key=_GRAVITY.__getitem__)
