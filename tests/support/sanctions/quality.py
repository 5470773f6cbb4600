"""Recall and precision of answers to labelled queries."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.support.sanctions.queries import Query


@dataclass(frozen=True)
class Answer:
    """What was decided: `flagged` entries await a person or are held, `held` ones stop without a person."""

    flagged: frozenset[int]
    held: frozenset[int]
    stopped: bool


@dataclass
class Report:
    """Counts by kind of query. A flag is right when it names the entry that was meant."""

    asked: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    held_wrongly: list[Query] = field(default_factory=list)
    misses: list[Query] = field(default_factory=list)
    false_alarms: list[Query] = field(default_factory=list)
    positives: set[str] = field(default_factory=set)

    @property
    def recall(self) -> float:
        """Of the queries about entries, those that named the entry."""
        asked = sum(self.asked[kind] for kind in self.positives)
        return sum(self.right[kind] for kind in self.positives) / asked

    @property
    def precision(self) -> float:
        """Of the queries that stopped somebody, those that were about an entry and named it."""
        right, wrong = sum(self.right.values()), sum(self.wrong.values())
        return right / (right + wrong)

    def recall_of(self, kind: str) -> float:
        """The recall of one kind."""
        return self.right[kind] / self.asked[kind]

    def lines(self) -> Iterable[str]:
        """The table: kind, queries, recall or share of false alarms."""
        for kind in sorted(self.positives):
            yield f"  {kind:<24}{self.asked[kind]:>6}  recall {self.recall_of(kind):.4f}"
        for kind in sorted(set(self.asked) - self.positives):
            yield f"  {kind:<24}{self.asked[kind]:>6}  false alarms {self.wrong[kind] / self.asked[kind]:.4f}"
        total = sum(self.asked.values())
        yield f"  {'all':<24}{total:>6}  recall {self.recall:.4f}  precision {self.precision:.4f}"


def measure(queries: Iterable[Query], answer: Callable[[Query], Answer]) -> Report:
    """Ask every query."""
    report = Report()
    for query in queries:
        found = answer(query)
        report.asked[query.kind] += 1
        if query.number is not None:
            report.positives.add(query.kind)
            if query.number in found.flagged:
                report.right[query.kind] += 1
            else:
                report.misses.append(query)
                report.wrong[query.kind] += found.stopped
            if query.never_held and query.number in found.held:
                report.held_wrongly.append(query)
        elif found.stopped:
            report.wrong[query.kind] += 1
            report.false_alarms.append(query)
            if found.held:
                report.held_wrongly.append(query)
    return report
