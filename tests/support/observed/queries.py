"""Expressions of the chart's dashboards and rules, and the series that they read."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from hack.up import REPOSITORY

CHART = REPOSITORY / "charts/payment-platform"
#: As Grafana sends them: four scrapes of 15 s, and all values chosen.
_VARIABLES = {"$__rate_interval": "1m", "$service": ".*", "$platform_namespace": ".*"}
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r"\b([a-z]+_[a-z0-9_]+|payments:[a-z0-9_:]+|up)(\{[^}]*\})?")
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring)\s*\([^)]*\)")
_FUNCTIONS = {"histogram_quantile", "min_over_time", "avg_over_time", "sort_desc"}


class Panel(NamedTuple):
    """One query of a panel; `name` is dashboard/title/reference."""

    name: str
    expr: str


def panels() -> Iterator[Panel]:
    """Every query of Prometheus of every panel."""
    for name, target in _targets("prometheus"):
        yield Panel(name, filled(target["expr"]))


def others(source: str) -> dict[str, dict[str, Any]]:
    """What panels ask another data source, by the name of the query."""
    return dict(_targets(source))


def _targets(source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted((CHART / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", []):
                if target["datasource"]["uid"] == source:
                    yield f"{file.stem}/{panel['title']}/{target['refId']}", target


def rules() -> dict[str, dict[str, Any]]:
    """Every rule by the name of its alert or its record."""
    groups = [group for file in _rule_files() for group in yaml.safe_load(file)["groups"]]
    return {rule.get("alert") or rule["record"]: rule for group in groups for rule in group["rules"]}


def filled(expr: str) -> str:
    """The expression with values for its variables."""
    for name, value in _VARIABLES.items():
        expr = expr.replace(name, value)
    return expr


def selectors(expr: str) -> list[str]:
    """The series that an expression reads, by name and the label matchers that stand with it."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found.group())
        return f'"{len(kept) - 1}"'

    plain = _GROUPING.sub("", _QUOTED.sub(keep, expr))
    found = []
    for match in _SELECTOR.finditer(plain):
        if match.group(1) not in _FUNCTIONS:
            labels = re.sub(r'"(\d+)"', lambda m: kept[int(m.group(1))], match.group(2) or "")
            found.append(match.group(1) + labels)
    return found


def _rule_files() -> list[str]:
    return [file.read_text() for file in sorted((CHART / "alerts").glob("*.yaml"))]
