"""One screening, made with what it is made of: a list, a method, rules. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from payments.ofac.domain.decision import Match, Rule, Screening, Subject, Thresholds, decide
from payments.ofac.domain.names import NameType, is_readable
from payments.ofac.index import Index
from payments.ofac.store import ActiveList

Kind = Literal["individual", "business"]
_KINDS: dict[Kind | None, Sequence[NameType]] = {
    "individual": ("individual",),
    "business": ("entity",),
    None: ("individual", "entity"),
}
# Hits this far below the review threshold are stored with the decision, as its near misses.
NEAR_MISS = 0.05
MAX_MATCHES = 20


@dataclass(frozen=True, slots=True)
class LoadedList:
    """The list in force, with its index."""

    active: ActiveList
    index: Index


def screen(
    loaded: LoadedList, subject: Subject, kind: Kind | None, rules: Sequence[Rule], thresholds: Thresholds
) -> Screening:
    """The decision about a subject; some milliseconds of work."""
    floor = thresholds.review - NEAR_MISS
    hits = loaded.index.search(subject.name, _KINDS[kind], floor, subject.documents)
    return decide(hits, subject, rules, thresholds, readable=is_readable(subject.name))


def described(screening: Screening) -> list[dict[str, Any]]:
    """The matches as they are stored and told."""
    return [_describe(match) for match in screening.matches[:MAX_MATCHES]]


def _describe(match: Match) -> dict[str, Any]:
    entry = match.hit.entry
    return {
        "ent_num": entry.ent_num,
        "name": entry.primary,
        "matched_name": match.hit.name.text,
        "matched_kind": match.hit.name.kind,
        "type": entry.type,
        "programs": entry.programs,
        "countries": entry.countries,
        "score": round(match.hit.score.score, 4),
        "decision": match.decision,
        "reasons": match.reasons,
    }
