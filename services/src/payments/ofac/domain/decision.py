"""From names that look alike to a decision, with its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from payments.ofac.domain import countries
from payments.ofac.domain.listing import Entry, Name
from payments.ofac.domain.scoring import NameScore

Decision = Literal["clear", "possible_match", "match"]
Action = Literal["allow", "block"]

# A decision without a person needs each word alike, not only the whole: Peter is not Petra.
SURE_WORD = 0.93
SURE_WORDS = 2
# ... and no more than this share of the longer name missing in the shorter.
SURE_MISSING = 0.1


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which a person must look, and from which the payment is stopped without one."""

    review: float = 0.85
    match: float = 0.95


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is screened. `country` (ISO 3166-1), `date_of_birth` and `documents` may be unknown.

    `documents` are numbers in capital letters and digits only.
    """

    customer_id: str | None
    name: str
    country: str | None = None
    date_of_birth: date | None = None
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A person's earlier decision: block this subject, or allow it although an entry looks alike.

    `entries` are those that an allow is about, by ent_num, with the fingerprint that each had then.
    """

    rule_id: str
    action: Action
    entries: Mapping[int, str] = field(default_factory=dict)

    def allows(self, entry: Entry) -> bool:
        """True for an allow of this very entry, as long as the list says the same of it."""
        fingerprint = self.entries.get(entry.ent_num)
        return self.action == "allow" and fingerprint is not None and fingerprint == entry.fingerprint


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
    """The outcome: the worst of the matches, with all of them, the worst first; `rules` decided it, too."""

    decision: Decision
    score: float
    matches: tuple[Match, ...]
    reasons: tuple[str, ...]
    rules: tuple[str, ...] = ()


_ORDER: dict[Decision, int] = {"clear": 0, "possible_match": 1, "match": 2}


def worst(decisions: Sequence[Decision]) -> Decision:
    """The gravest of them, clear when there is none."""
    return max(decisions, key=_ORDER.__getitem__, default="clear")


def judge(hit: Hit, subject: Subject, thresholds: Thresholds) -> Match:
    """What one name of the list means for the subject: the name first, then what else is known.

    Agreeing data never make up for another name, but for the number of a document; contradicting data take a
    decision down by one step at the most, and nothing that a name says surely is ever cleared by them.
    """
    reasons = [f"{hit.name.kind}_name"]
    document = not set(hit.entry.documents).isdisjoint(subject.documents)
    if document:
        reasons.append("document_agrees")
    if hit.score.score < thresholds.review:
        return Match(hit, "possible_match" if document else "clear", (*reasons, "below_review_threshold"))
    decision, doubts = _by_name(hit.score, thresholds)
    birth = _birth(hit.entry, subject)
    country = _country(hit.entry, subject)
    reasons += [
        *doubts,
        *filter(None, (birth and f"date_of_birth_{birth}", country and f"country_{country}")),
    ]
    if hit.name.kind == "weak":
        # Such a name finds nobody by itself; with the very day of birth or a document a person must look.
        return Match(hit, "possible_match" if document or birth == "is_the_same" else "clear", tuple(reasons))
    if document:
        return Match(hit, "match", tuple(reasons))
    agrees = birth in ("agrees", "is_the_same")
    if birth == "differs":
        decision = "clear" if decision == "possible_match" and doubts else "possible_match"
    elif country == "differs" and not agrees:
        decision = "possible_match"
    return Match(hit, decision, tuple(reasons))


def _by_name(score: NameScore, thresholds: Thresholds) -> tuple[Decision, list[str]]:
    """The decision that the name alone asks for, and what is doubtful about it."""
    decision: Decision = "match" if score.score >= thresholds.match else "possible_match"
    if score.words < SURE_WORDS:
        return "possible_match", ["single_word"]
    if score.weakest < SURE_WORD:
        return "possible_match", ["a_word_differs"]
    if score.missing > SURE_MISSING:
        return "possible_match", ["a_word_is_missing"]
    return decision, []


def _birth(entry: Entry, subject: Subject) -> str:
    born = subject.date_of_birth
    if born is None or not entry.birth_dates:
        return ""
    if any(listed.exactly(born) for listed in entry.birth_dates):
        return "is_the_same"
    if any(listed.agrees(born) for listed in entry.birth_dates):
        return "agrees"
    return "differs" if all(listed.contradicts(born) for listed in entry.birth_dates) else ""


def _country(entry: Entry, subject: Subject) -> str:
    known = {countries.code(name) for name in entry.countries}
    if subject.country is None or not known or None in known:
        return "agrees" if subject.country in known - {None} else ""
    return "agrees" if subject.country in known else "differs"


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
        rules: what persons have decided about this customer or name; a block wins.
        readable: False when the name has no letters that could be compared with the list.
    """
    reasons: list[str] = []
    applied = [rule.rule_id for rule in rules if rule.action == "block"]
    matches = []
    for match in (judge(hit, subject, thresholds) for hit in hits):
        allow = next((rule for rule in rules if rule.allows(match.hit.entry)), None)
        if match.decision != "clear" and allow is not None:
            match = Match(match.hit, "clear", (*match.reasons, "allowed_by_rule"))
            applied.append(allow.rule_id)
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
    return Screening(decision, score, tuple(matches), tuple(reasons), tuple(dict.fromkeys(applied)))
