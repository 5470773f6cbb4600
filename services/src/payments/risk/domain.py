"""What a payment's risk is made of: rules as data, a score, a decision. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Level = Literal["LOW", "HIGH"]
Decision = Literal["allow", "review", "refuse"]
SanctionsDecision = Literal["clear", "possible_match", "match"]

HIGH_FROM = 50


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when a payment is assessed.

    `amount` is in major units of the payment's currency; `payments_24h` counts the customer's other payments
    of the last 24 hours; `sanctions` is the gravest decision over everybody the payment concerns.
    """

    amount: Decimal
    payments_24h: int
    verified: bool
    sanctions: SanctionsDecision


@dataclass(frozen=True, slots=True)
class Rule:
    """Adds `points` and the reason `code` when it applies."""

    code: str
    points: int
    applies: Callable[[Facts], bool]


RULES = (
    Rule("amount_over_5000", 30, lambda facts: facts.amount > 5_000),
    Rule("amount_over_10000", 20, lambda facts: facts.amount > 10_000),
    Rule("more_than_5_payments_in_24h", 25, lambda facts: facts.payments_24h > 5),
    Rule("sanctioned", 100, lambda facts: facts.sanctions == "match"),
    Rule("kyc_not_verified", 40, lambda facts: not facts.verified),
)


@dataclass(frozen=True, slots=True)
class Assessment:
    """Score, level and decision, with the codes of everything that led to them."""

    score: int
    level: Level
    decision: Decision
    reasons: tuple[str, ...]


def assess(facts: Facts, review_limit: Decimal) -> Assessment:
    """Sum the rules that apply; refuse, send to review or allow.

    A sanctioned or unverified customer is refused whatever the score; a possible match, or an amount over
    `review_limit` (major units), waits for an operator.
    """
    applied = [rule for rule in RULES if rule.applies(facts)]
    score = sum(rule.points for rule in applied)
    reasons = [rule.code for rule in applied]
    decision: Decision = "allow"
    if facts.sanctions == "possible_match":
        decision = "review"
        reasons.append("possible_sanctions_match")
    if facts.amount > review_limit:
        decision = "review"
        reasons.append("amount_over_review_limit")
    if facts.sanctions == "match" or not facts.verified:
        decision = "refuse"
    return Assessment(score, "HIGH" if score >= HIGH_FROM else "LOW", decision, tuple(reasons))


_GRAVITY: dict[SanctionsDecision, int] = {"clear": 0, "possible_match": 1, "match": 2}


def graver(one: SanctionsDecision, other: SanctionsDecision) -> SanctionsDecision:
    """The graver of two decisions."""
    return max(one, other, key=_GRAVITY.__getitem__)
