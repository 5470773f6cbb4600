"""From names that look alike to a decision, with its reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from payments.ofac.domain.listing import Entry, Name
from payments.ofac.domain.scoring import NameScore

Decision = Literal["clear", "possible_match", "match"]
Action = Literal["allow", "block"]

# A decision without a person needs each word alike, not only the whole: Peter is not Petra.
SURE_WORD = 0.93
SURE_WORDS = 2


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which a person must look, and from which the payment is stopped without one."""

    review: float = 0.85
    match: float = 0.95


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is screened. `country` and `date_of_birth` may be unknown."""

    customer_id: str | None
    name: str
    country: str | None = None
    date_of_birth: date | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A person's earlier decision: block this customer, or allow them although an entry looks alike.

    `ent_num` None allows for every entry; a block needs none.
    """

    action: Action
    ent_num: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A name of the list that looks like the subject's."""

    entry: Entry
    name: Name
    score: NameScore


@dataclass(frozen=True, slots=True)
class Match:
    """A hit judged."""

    hit: Hit
    decision: Decision
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Screening:
    """The outcome: the worst of the matches, with all of them, the worst first."""

    decision: Decision
    score: float
    matches: tuple[Match, ...]
    reasons: tuple[str, ...]


_ORDER: dict[Decision, int] = {"clear": 0, "possible_match": 1, "match": 2}


def worst(decisions: Sequence[Decision]) -> Decision:
    """The gravest of them, clear when there is none."""
    return max(decisions, key=_ORDER.__getitem__, default="clear")


def judge(hit: Hit, subject: Subject, thresholds: Thresholds) -> Match:
    """What one name of the list means for the subject."""
    score = hit.score
    reasons = [f"{hit.name.kind}_name"]
    if score.score < thresholds.review:
        return Match(hit, "clear", (*reasons, "below_review_threshold"))
    decision: Decision = "match"
    if score.score < thresholds.match:
        decision = "possible_match"
    if score.words < SURE_WORDS:
        decision = "possible_match"
        reasons.append("single_word")
    elif score.weakest < SURE_WORD:
        decision = "possible_match"
        reasons.append("a_word_differs")
    born = subject.date_of_birth
    exact_birth = False
    if born is not None and hit.entry.birth_dates:
        exact_birth = any(listed.exactly(born) for listed in hit.entry.birth_dates)
        if any(listed.agrees(born) for listed in hit.entry.birth_dates):
            reasons.append("date_of_birth_agrees")
        elif all(listed.contradicts(born) for listed in hit.entry.birth_dates):
            decision = "possible_match"
            reasons.append("date_of_birth_differs")
    if hit.name.kind == "weak":
        # Such a name finds nobody by itself; with the very day of birth a person must look.
        decision = "possible_match" if exact_birth else "clear"
    return Match(hit, decision, tuple(reasons))


def decide(
    hits: Sequence[Hit],
    subject: Subject,
    rules: Sequence[Rule],
    thresholds: Thresholds,
    *,
    readable: bool,
) -> Screening:
    """The outcome for a subject.

    Args:
        hits: the best hit of each entry that may be meant.
        rules: what persons have decided about this customer.
        readable: False when the name has no letters that could be compared with the list.
    """
    reasons: list[str] = []
    allowed = {rule.ent_num for rule in rules if rule.action == "allow"}
    judged = [judge(hit, subject, thresholds) for hit in hits]
    matches = []
    for match in judged:
        if match.decision != "clear" and (None in allowed or match.hit.entry.ent_num in allowed):
            match = Match(match.hit, "clear", (*match.reasons, "allowed_by_rule"))
        matches.append(match)
    matches.sort(key=lambda match: (-_ORDER[match.decision], -match.hit.score.score, match.hit.entry.ent_num))
    decision = worst([match.decision for match in matches])
    counted = [match for match in matches if match.hit.name.kind != "weak" or match.decision != "clear"]
    score = max((match.hit.score.score for match in counted), default=0.0)
    if matches and decision != "clear":
        reasons += matches[0].reasons
    if not readable:
        # Nothing was compared, so nothing was cleared.
        decision = worst([decision, "possible_match"])
        reasons.append("name_not_comparable")
    if any(rule.action == "block" for rule in rules):
        decision, score = "match", 1.0
        reasons.append("blocked_by_rule")
    return Screening(decision, score, tuple(matches), tuple(reasons))
