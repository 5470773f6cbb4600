"""What other rules would change: `python3 -m payments.risk.simulate --rules new.json --facts facts.jsonl`."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from payments.risk.domain import Outcome, assess
from payments.risk.facts import FactError, Facts, read
from payments.risk.rules import RulesError, RuleSet, load

PROGRESS_SECONDS = 5.0

_DESCRIPTION = """Assess recorded facts by two sets of rules and show what would be decided differently.
Simulated rules count here as if they were enforced; that is the question."""
_EPILOG = """Facts are one JSON object a line: "facts" of an assessment, or an object with these and an id:
  psql -Atc "SELECT jsonb_build_object('id', id, 'facts', assessment->'facts') FROM payments.payments
             WHERE assessment ? 'facts'" > facts.jsonl
Exit codes: 0 compared; 1 rules or facts that cannot be read; 2 wrong usage."""


class Case(NamedTuple):
    """One line: a name for it, and its facts."""

    name: str
    facts: Facts


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python3 -m payments.risk.simulate",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rules", type=Path, required=True, help="the new rules, a JSON document")
    parser.add_argument("--against", type=Path, help="the rules to compare with; default the built-in ones")
    parser.add_argument("--facts", type=Path, required=True, help="recorded facts, one JSON object a line")
    given = parser.parse_args(arguments)
    try:
        new, old = _rules(given.rules), _rules(given.against)
        _say(f"rules {old.version} -> {new.version}")
        with given.facts.open(encoding="utf-8") as lines:
            changed, count = compare(_cases(lines), old, new)
    except (RulesError, FactError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    _say(f"{count} payments, {sum(changed.values())} decided differently")
    for (before, after), times in changed.most_common():
        _say(f"  {times:>8}  {before} -> {after}")
    return 0


def compare(cases: Iterator[Case], old: RuleSet, new: RuleSet) -> tuple[Counter[tuple[str, str]], int]:
    """Print each case that changes; returns how often each change was seen, and the number of cases."""
    changed: Counter[tuple[str, str]] = Counter()
    count, told = 0, time.monotonic()
    for count, case in enumerate(cases, 1):
        # What the old rules decided, against what the new would decide with everything enforced.
        before, after = assess(case.facts, old).outcome, assess(case.facts, new).simulated
        if (before.decision, before.level) != (after.decision, after.level):
            changed[_verdict(before), _verdict(after)] += 1
            _say(f"{case.name}: {_told(before)} -> {_told(after)}{_difference(before, after)}")
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {count} payments compared\n")
    return changed, count


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _rules(path: Path | None) -> RuleSet:
    try:
        return load(path)
    except RulesError as error:
        raise RulesError(f"{path}: {error}") from error


def _cases(lines: Any) -> Iterator[Case]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            if not isinstance(found, dict):
                raise FactError("must be a JSON object")
            facts = found["facts"] if isinstance(found.get("facts"), dict) else found
            yield Case(str(found.get("id", f"line {number}")), read(facts))
        except (json.JSONDecodeError, FactError) as error:
            raise FactError(f"line {number} of the facts: {error}") from error


def _verdict(outcome: Outcome) -> str:
    return f"{outcome.decision}/{outcome.level}"


def _told(outcome: Outcome) -> str:
    return f"{_verdict(outcome)} {outcome.score}"


def _difference(before: Outcome, after: Outcome) -> str:
    gone = [f"-{code}" for code in before.reasons if code not in after.reasons]
    come = [f"+{code}" for code in after.reasons if code not in before.reasons]
    return f" ({', '.join(come + gone)})" if come or gone else ""


if __name__ == "__main__":
    sys.exit(main())
