"""One by one: payments in traces, in the audit trail and as points; of Jaeger, search and InfluxDB."""

from __future__ import annotations

from hack.dashboards.panels import Dashboard, Json, Panel, Row

_RANGE = """from(bucket: v.defaultBucket) |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "payment" and r._field == "%s")"""
_TIME = "@timestamp"


def _search(metric: str, *groups: Json, **settings: str) -> Json:
    """A question of Grafana's query editor for OpenSearch and Elasticsearch."""
    metrics: Json = {"id": "1", "type": metric}
    if settings:
        metrics["settings"] = settings
    return {"query": "*", "timeField": _TIME, "metrics": [metrics], "bucketAggs": list(groups)}


_BY_TYPE: Json = {
    "id": "2",
    "type": "terms",
    "field": "type",
    "settings": {"size": "10", "order": "desc", "orderBy": "_count", "min_doc_count": "1"},
}
_OVER_TIME: Json = {"id": "3", "type": "date_histogram", "field": _TIME, "settings": {"interval": "auto"}}

TRACES = Row(
    "Traces",
    (
        Panel(
            "Traces of payments",
            "The newest traces that confirm-service has a part in; a click shows one as a tree.",
            "short",
            (),
            kind="table",
            width=24,
            source="jaeger",
            asked=({"queryType": "search", "service": "confirm-service", "limit": 20},),
        ),
    ),
)

EVENTS = Row(
    "Audit trail",
    (
        Panel(
            "Events by type",
            "Events of the audit trail, by what happened.",
            "short",
            (),
            stacked=True,
            width=12,
            source="search",
            asked=(_search("count", _BY_TYPE, _OVER_TIME),),
        ),
        Panel(
            "Newest events",
            "The newest entries of the audit trail, account numbers masked.",
            "short",
            (),
            kind="table",
            width=12,
            source="search",
            asked=(_search("raw_data", size="50"),),
        ),
    ),
)

POINTS = Row(
    "Points of finished payments",
    (
        Panel(
            "Finished by status",
            "Payments that came to an end, by status.",
            "short",
            (),
            stacked=True,
            width=12,
            source="influxdb",
            asked=(
                {
                    "query": _RANGE % "amount"
                    + """
  |> group(columns: ["status"])
  |> aggregateWindow(every: v.windowPeriod, fn: count, createEmpty: false)"""
                },
            ),
        ),
        Panel(
            "Latency by risk",
            "How long the last attempt of a payment took, in milliseconds: the slowest at a time, by risk.",
            "ms",
            (),
            width=12,
            source="influxdb",
            asked=(
                {
                    "query": _RANGE % "latency_ms"
                    + """
  |> group(columns: ["risk_level"])
  |> aggregateWindow(every: v.windowPeriod, fn: max, createEmpty: false)"""
                },
            ),
        ),
    ),
)

TRAIL = Dashboard(
    "trail",
    "Payments one by one",
    "Payments in traces, in the audit trail and as points; what the other dashboards only count.",
    (TRACES, EVENTS, POINTS),
)
