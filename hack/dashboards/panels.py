"""Parts of Grafana dashboards, short to write: a panel is its title, what it says, unit and queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WIDTH = 24
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
GREEN, ORANGE, RED = "green", "orange", "red"

Json = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """An expression of the data source of its panel, and how its series are named."""

    expr: str
    legend: str = ""
    instant: bool = False


@dataclass(frozen=True)
class Panel:
    """One panel.

    Args:
        queries: of Prometheus.
        unit: Grafana's name of it, as s, short, percentunit, bytes, reqps.
        limits: colours from which value on: (None, "green"), (0.01, "red").
        kind: timeseries, stat, table, bargauge or heatmap.
    """

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    width: int = 8
    height: int = 7
    limits: tuple[tuple[float | None, str], ...] = ()
    stacked: bool = False
    decimals: int | None = None
    #: uid of another data source, and what it is asked in its own words; then there are no `queries`.
    source: str = ""
    asked: tuple[Json, ...] = ()


@dataclass(frozen=True)
class Row:
    """A headline with the panels below it."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Dashboard:
    """A page. `variables` maps names to queries for their values."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[tuple[str, str], ...] = ()


def q(expr: str, legend: str = "", *, instant: bool = False) -> Query:
    """A query, its lines joined."""
    return Query(" ".join(expr.split()), legend, instant)


def lines(title: str, description: str, unit: str, *queries: Query, **more: Any) -> Panel:
    """Values over time."""
    return Panel(title, description, unit, queries, **more)


def stat(title: str, description: str, unit: str, query: Query, **more: Any) -> Panel:
    """One number, as large as it fits, with its limits as colours."""
    size: dict[str, Any] = {"kind": "stat", "width": 4, "height": 4}
    return Panel(title, description, unit, (query,), **size | more)


def alarm(at: float = 0.5) -> tuple[tuple[float | None, str], ...]:
    """Green below, red from `at` on."""
    return ((None, GREEN), (at, RED))


def document(dashboard: Dashboard) -> Json:
    """The dashboard as Grafana reads it from a file. Pure; ids follow the order."""
    panels: list[Json] = []
    top = 0
    for row in dashboard.rows:
        panels.append(_headline(len(panels) + 1, row.title, top))
        top += 1
        left = deepest = 0
        for panel in row.panels:
            if left + panel.width > WIDTH:
                top, left, deepest = top + deepest, 0, 0
            place = {"h": panel.height, "w": panel.width, "x": left, "y": top}
            panels.append(_panel(len(panels) + 1, panel, place))
            left, deepest = left + panel.width, max(deepest, panel.height)
        top += deepest
    return {
        "annotations": {"list": [_alerts()]},
        "description": dashboard.description,
        "editable": False,
        "graphTooltip": 1,
        "id": None,
        "links": [_links()],
        "panels": panels,
        "refresh": "15s",
        "schemaVersion": 39,
        "tags": ["payment-platform"],
        "templating": {"list": [_variable(name, query) for name, query in dashboard.variables]},
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "utc",
        "title": dashboard.title,
        "uid": dashboard.uid,
        "version": 1,
    }


def _panel(number: int, panel: Panel, place: Json) -> Json:
    targets = [_target(index, query, panel.kind) for index, query in enumerate(panel.queries)]
    source: Json = {"uid": panel.source} if panel.source else PROMETHEUS
    targets += [{"datasource": source, "refId": _letter(n), **asked} for n, asked in enumerate(panel.asked)]
    shown: Json = {
        "datasource": source,
        "description": panel.description,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "gridPos": place,
        "id": number,
        "options": _options(panel.kind),
        "targets": targets,
        "title": panel.title,
        "type": panel.kind,
    }
    if panel.kind == "table" and not panel.source:
        shown["transformations"] = [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}}},
        ]
    return shown


def _defaults(panel: Panel) -> Json:
    steps = [{"color": colour, "value": at} for at, colour in panel.limits or ((None, GREEN),)]
    found: Json = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.decimals is not None:
        found["decimals"] = panel.decimals
    if panel.kind == "stat":
        found["color"] = {"mode": "thresholds"}
    if panel.kind == "timeseries":
        found |= {"min": 0 if panel.stacked else None, "custom": _drawing(panel)}
    return found


def _drawing(panel: Panel) -> Json:
    return {
        "drawStyle": "line",
        "fillOpacity": 30 if panel.stacked else 8,
        "lineWidth": 1,
        "showPoints": "never",
        "spanNulls": 60_000,
        "stacking": {"mode": "normal" if panel.stacked else "none"},
        "thresholdsStyle": {"mode": "line" if panel.limits else "off"},
    }


def _options(kind: str) -> Json:
    if kind == "timeseries":
        legend = {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom"}
        return {"legend": {**legend, "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}}
    if kind == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if kind == "bargauge":
        return {"displayMode": "basic", "orientation": "horizontal", "reduceOptions": reduce}
    return {"colorMode": "background", "graphMode": "area", "reduceOptions": reduce, "textMode": "auto"}


def _target(index: int, query: Query, kind: str) -> Json:
    once = query.instant or kind == "table"
    return {
        "datasource": PROMETHEUS,
        "editorMode": "code",
        "expr": query.expr,
        "format": "table" if kind == "table" else "time_series",
        "instant": once,
        "legendFormat": query.legend or "__auto",
        "range": not once,
        "refId": _letter(index),
    }


def _letter(index: int) -> str:
    return chr(ord("A") + index)


def _headline(number: int, title: str, top: int) -> Json:
    place = {"h": 1, "w": WIDTH, "x": 0, "y": top}
    return {"collapsed": False, "gridPos": place, "id": number, "panels": [], "title": title, "type": "row"}


def _variable(name: str, query: str) -> Json:
    return {
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "datasource": PROMETHEUS,
        "definition": query,
        "includeAll": True,
        "label": name,
        "multi": True,
        "name": name,
        "query": {"query": query, "refId": "values"},
        "refresh": 2,
        "sort": 1,
        "type": "query",
    }


def _alerts() -> Json:
    """Alerts that fire, as marks on all panels."""
    return {
        "datasource": PROMETHEUS,
        "enable": True,
        "expr": 'ALERTS{alertstate="firing"}',
        "iconColor": "red",
        "name": "Alerts",
        "step": "60s",
        "tagKeys": "severity",
        "titleFormat": "{{alertname}}",
    }


def _links() -> Json:
    """To the other dashboards of the platform."""
    return {
        "asDropdown": True,
        "includeVars": False,
        "keepTime": True,
        "tags": ["payment-platform"],
        "title": "Dashboards",
        "type": "dashboards",
    }
