"""Prometheus' HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api."""

import json
import urllib.error
from dataclasses import dataclass
from typing import Any

from tests.support.observed.http import ask


@dataclass(frozen=True)
class Answer:
    """What is answered to a query: why not, or the series."""

    error: str
    series: list[dict[str, Any]]


@dataclass(frozen=True)
class Prometheus:
    """A server at `url`."""

    url: str

    def get(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer. Raises OSError."""
        return ask(f"{self.url}/api/v1/{path}", **parameters)["data"]

    def query(self, expr: str) -> Answer:
        """An expression's series now."""
        try:
            return Answer("", self.get("query", query=expr)["result"])
        except urllib.error.HTTPError as error:
            return Answer(error.read().decode(), [])

    def targets(self) -> list[dict[str, Any]]:
        """All that is scraped."""
        found: list[dict[str, Any]] = self.get("targets", state="active")["activeTargets"]
        return found

    def down(self) -> list[str]:
        """Targets that are not up, with the reason."""
        return [
            f"{t['labels']['job']} {t['labels'].get('service')}: {t['lastError'] or t['health']}"
            for t in self.targets()
            if t["health"] != "up"
        ]

    def rules(self) -> list[dict[str, Any]]:
        """All rules, those that record and those that alert."""
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]

    def alerts(self, *names: str, firing: bool = True) -> set[str]:
        """Those of these alerts that fire, or are about to; "name who" where the alert says of whom."""
        return {
            " ".join([labels["alertname"], *(labels[key] for key in ("service",) if key in labels)])
            for labels in (alert["labels"] for alert in self._alerts(firing))
            if labels["alertname"] in names
        }

    def _alerts(self, firing: bool) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("alerts")["alerts"]
        return [alert for alert in found if not firing or alert["state"] == "firing"]

    def everything(self) -> dict[str, str]:
        """All names, values of labels and texts of help, by place."""
        names = self.get("labels")
        texts = {f"label {name}": "\n".join(self.get(f"label/{name}/values")) for name in names}
        return texts | {"metadata": json.dumps(self.get("metadata")), "labels": "\n".join(names)}
