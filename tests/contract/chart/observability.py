"""The chart with parts of what watches the platform, and what it makes of them."""

from typing import Any

import yaml

from tests.contract.chart.helm import Object, catalog, named

PARTS = catalog()["observability"]


def workloads(objects: list[Object]) -> set[str]:
    """Names of what runs to watch the platform."""
    return {*named(objects, "Deployment"), *named(objects, "StatefulSet")} & set(PARTS)


def dev(**parts: Any) -> dict[str, Any]:
    """Values of the profile dev with these parts."""
    return {"profile": "dev", "observability": parts}


def config(objects: list[Object], name: str) -> dict[str, Any]:
    """The file that Prometheus or the collector starts with."""
    (text,) = [
        text
        for file, text in named(objects, "ConfigMap")[name]["data"].items()
        if file in ("prometheus.yml", "config.yaml")
    ]
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded
