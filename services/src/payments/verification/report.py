"""What a verification found, as data, as text and as JSON. Standard library only."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that is wrong.

    Args:
        kind: its name, e.g. payment_missing_in_ledger.
        id: of what it is about: payment, refund, transfer, account, event ...
        detail: further ids, and what each side says; amounts in minor units.
    """

    kind: str
    id: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one check. `mismatches` may hold fewer than `wrong`, the first ones."""

    check: str
    about: str
    counted: int
    wrong: int
    mismatches: tuple[Mismatch, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return self.wrong == 0


@dataclass(frozen=True, slots=True)
class Report:
    """Outcomes of one run, all of one moment."""

    command: str
    at: datetime
    grace_seconds: float
    outcomes: tuple[Outcome, ...]

    @property
    def ok(self) -> bool:
        """Nothing is wrong anywhere."""
        return all(outcome.ok for outcome in self.outcomes)

    @property
    def wrong(self) -> int:
        """How many things are wrong."""
        return sum(outcome.wrong for outcome in self.outcomes)


def document(report: Report) -> dict[str, Any]:
    """The report as JSON data."""
    return {
        "ok": report.ok,
        "command": report.command,
        "at": report.at.isoformat(),
        "grace_seconds": report.grace_seconds,
        "wrong": report.wrong,
        "checks": [{"ok": outcome.ok, **asdict(outcome)} for outcome in report.outcomes],
    }


def as_json(report: Report) -> str:
    """The report for programs."""
    return json.dumps(document(report), indent=2, ensure_ascii=False, default=str)


def as_text(report: Report) -> str:
    """The report for people: a line for each check, below it what is wrong."""
    width = max((len(outcome.check) for outcome in report.outcomes), default=0)
    lines = [line for outcome in report.outcomes for line in _lines(outcome, width)]
    verdict = "nothing is wrong" if report.ok else f"{report.wrong} things are wrong"
    return "\n".join([*lines, f"{report.command}: {verdict} at {report.at.isoformat(timespec='seconds')}"])


def _lines(outcome: Outcome, width: int) -> Iterable[str]:
    mark = "ok   " if outcome.ok else "WRONG"
    numbers = f"{outcome.wrong} of {outcome.counted}"
    yield f"{mark} {outcome.check:<{width}}  {numbers:>16}  {outcome.about} ({outcome.seconds:.2f} s)"
    for mismatch in outcome.mismatches:
        detail = ", ".join(f"{name} {_plain(value)}" for name, value in mismatch.detail.items())
        yield f"        {mismatch.kind} {mismatch.id}: {detail}"
    if len(outcome.mismatches) < outcome.wrong:
        yield f"        … and {outcome.wrong - len(outcome.mismatches)} more"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
