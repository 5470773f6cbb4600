"""Rules as data: a JSON document, checked word by word, versioned by its content. Pure but for `load`.

    {"mode": "enforce", "high": 50, "rules": [
        {"code": "amount_over_5000", "points": 30, "reason": "The amount is over 5,000",
         "when": [{"fact": "amount", "op": ">", "value": 5000}]}]}

A rule applies when all its conditions hold; then it adds `points` to the score and may ask for a `decision`
(review or refuse). `mode` simulate, for a rule or for the whole document, evaluates and records without ever
changing a decision: under a document that is only simulated the built-in rules go on deciding. `high` is the
score from which a risk is HIGH. What is left out of a document is as in the built-in one.
"""

import hashlib
import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

from payments.risk.facts import COUNTED_UP_TO, KINDS, Facts

RuleDecision = Literal["review", "refuse"]

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_EQUAL: dict[str, Callable[[Any, Any], bool]] = {"==": operator.eq, "!=": operator.ne}
_AMONG: dict[str, Callable[[Any, Any], bool]] = {
    "in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
}
OPERATORS: dict[str, dict[str, Callable[[Any, Any], bool]]] = {
    "number": _ORDER | _EQUAL,
    "count": _ORDER | _EQUAL,
    "text": _EQUAL | _AMONG,
    "truth": {"==": operator.eq},
}


class RulesError(ValueError):
    """The document is no set of rules; the message names the rule and the field."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`fact` stands in the relation `op` to `value`."""

    fact: str
    op: str
    value: Any

    def holds(self, facts: Facts) -> bool:
        """False when the fact is not known."""
        known = getattr(facts, self.fact)
        return known is not None and OPERATORS[KINDS[self.fact]][self.op](known, self.value)


@dataclass(frozen=True, slots=True)
class Rule:
    """Adds `points` and the reason `code` when all conditions hold."""

    code: str
    points: int
    reason: str
    when: tuple[Condition, ...]
    decision: RuleDecision | None = None
    simulated: bool = False

    def applies(self, facts: Facts) -> bool:
        """Whether all conditions hold."""
        return all(condition.holds(facts) for condition in self.when)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules that decide, and those that would if simulated ones were enforced, too.

    `high` and `simulated_high` are the scores from which the risk is HIGH for one and the other.
    """

    version: str
    enforced: tuple[Rule, ...]
    high: int
    simulated: tuple[Rule, ...]
    simulated_high: int


def load(path: Path | None = None) -> RuleSet:
    """The rules in a file, without one the built-in ones. Raises RulesError, or OSError for no file."""
    return read(None if path is None else path.read_text(encoding="utf-8"))


def read(text: str | None = None) -> RuleSet:
    """The rules of a document, None for the built-in ones. Raises RulesError."""
    builtin = _parse(files("payments.risk").joinpath("rules.json").read_text(encoding="utf-8"))
    given = builtin if text is None else builtin | _parse(text)
    rules, high = _rules(given["rules"]), _whole(given["high"], "high", 1, 10_000)
    if _mode(given["mode"], "mode") == "enforce":
        enforced, enforced_high = tuple(rule for rule in rules if not rule.simulated), high
    else:
        enforced = tuple(rule for rule in _rules(builtin["rules"]) if not rule.simulated)
        enforced_high = builtin["high"]
    return RuleSet(_version(given, builtin), enforced, enforced_high, rules, high)


def _version(given: Mapping[str, Any], builtin: Mapping[str, Any]) -> str:
    """12 hexadecimal digits of everything that has an influence, whatever its layout."""
    parts = [given] if given["mode"] == "enforce" else [given, builtin]
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _parse(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise RulesError(f"the document is no JSON: {error}") from error
    return _object(document, "the document", {"mode", "high", "rules"})


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RulesError(f"a member stands twice among {', '.join(name for name, _ in pairs)}")
    return found


def _no_number(text: str) -> Any:
    raise RulesError(f"{text} is no number")


def _object(value: Any, where: str, allowed: set[str], needed: set[str] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RulesError(f"{where}: must be an object")
    if unknown := sorted(set(value) - allowed):
        raise RulesError(f"{where}: unknown field {unknown[0]!r}; there are {', '.join(sorted(allowed))}")
    if missing := sorted((needed or set()) - set(value)):
        raise RulesError(f"{where}: {missing[0]} is missing")
    return cast(dict[str, Any], value)


def _list(value: Any, where: str, most: int) -> list[Any]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise RulesError(f"{where}: must be a list of 1 to {most}")
    return value


def _whole(value: Any, where: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise RulesError(f"{where}: must be a whole number from {least} to {most}")
    return value


def _mode(value: Any, where: str) -> str:
    if value not in ("enforce", "simulate"):
        raise RulesError(f"{where}: must be enforce or simulate")
    return cast(str, value)


def _rules(given: Any) -> tuple[Rule, ...]:
    rules = tuple(_rule(each, number) for number, each in enumerate(_list(given, "rules", 200), 1))
    codes = [rule.code for rule in rules]
    for code in codes:
        if codes.count(code) > 1:
            raise RulesError(f"rule {code}: code: stands twice; every rule has a code of its own")
    return rules


def _rule(given: Any, number: int) -> Rule:
    code = given.get("code") if isinstance(given, dict) else None
    where = f"rule {code}" if isinstance(code, str) else f"rule number {number}"
    allowed = {"code", "points", "when", "reason", "decision", "mode"}
    rule = _object(given, where, allowed, {"code", "points", "when", "reason"})
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise RulesError(f"{where}: code: must be lower-case words joined by _, at most 64 characters")
    reason = rule["reason"]
    if not isinstance(reason, str) or not 1 <= len(reason) <= 200:
        raise RulesError(f"{where}: reason: must be a text of 1 to 200 characters")
    if rule.get("decision") not in (None, "review", "refuse"):
        raise RulesError(f"{where}: decision: must be review or refuse")
    conditions = enumerate(_list(rule["when"], f"{where}: when", 10))
    return Rule(
        code,
        _whole(rule["points"], f"{where}: points", 0, 1000),
        reason,
        tuple(_condition(each, f"{where}: when[{n}]") for n, each in conditions),
        rule.get("decision"),
        _mode(rule.get("mode", "enforce"), f"{where}: mode") == "simulate",
    )


def _condition(given: Any, where: str) -> Condition:
    condition = _object(given, where, {"fact", "op", "value"}, {"fact", "op", "value"})
    fact, op, value = condition["fact"], condition["op"], condition["value"]
    if not isinstance(fact, str) or fact not in KINDS:
        raise RulesError(f"{where}: fact: there is no {fact!r}; there are {', '.join(KINDS)}")
    kind = KINDS[fact]
    if not isinstance(op, str) or op not in OPERATORS[kind]:
        raise RulesError(f"{where}: op: for {fact} it must be one of {' '.join(OPERATORS[kind])}")
    return Condition(fact, op, _wanted(value, kind, op, f"{where}: value"))


def _wanted(value: Any, kind: str, op: str, where: str) -> Any:
    """The value that a condition compares with. Raises RulesError."""
    if kind == "truth":
        if not isinstance(value, bool):
            raise RulesError(f"{where}: must be true or false")
        return value
    if kind == "text":
        if op in _AMONG:
            return tuple(_text(each, where) for each in _list(value, where, 500))
        return _text(value, where)
    if kind == "count":
        return _whole(value, f"{where} (counts end at {COUNTED_UP_TO})", 0, COUNTED_UP_TO - (op == ">"))
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise RulesError(f"{where}: must be a number")
    return Decimal(value)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 100:
        raise RulesError(f"{where}: must be a text of 1 to 100 characters")
    return value
