"""Metrics of a service for Prometheus: GET /metrics, on its own port.

A module makes its metrics once, at import, and changes them where things happen:

    CONFIRMED = metrics.counter("payments_confirmations_total", "Confirmations, by outcome.", ["outcome"])
    CONFIRMED.labels("succeeded").inc()

Names follow Prometheus and OpenTelemetry (https://prometheus.io/docs/practices/naming): base units (seconds,
bytes), counters end in `_total`, prefix `payments_`, or `http_` and `db_` for what OpenTelemetry has named
(https://opentelemetry.io/docs/specs/semconv). Labels have few values: never an id or an amount.
"""

import re
from collections.abc import Sequence
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

PATH = "/metrics"
REGISTRY = CollectorRegistry()
#: From a memory look-up to a request's deadline; the limits of the objectives are among them.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_NAME = re.compile(r"(payments|http_server|http_client|db_client)_[a-z][a-z0-9_]*[a-z0-9]")

ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)


def counter(name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
    """What only grows. Raises ValueError for a bad name or one that is taken."""
    if not name.endswith("_total"):
        raise ValueError(f"{name}: a counter's name ends in _total")
    return Counter(_named(name), documentation, labels, registry=REGISTRY)


def gauge(name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge:
    """What goes up and down; `.set_function` asks at each scrape. Raises ValueError."""
    return Gauge(_named(name), documentation, labels, registry=REGISTRY)


def histogram(
    name: str, documentation: str, labels: Sequence[str] = (), *, buckets: Sequence[float] = SECONDS
) -> Histogram:
    """How values spread over `buckets`. Raises ValueError."""
    return Histogram(_named(name), documentation, labels, registry=REGISTRY, buckets=buckets)


def from_zero(counter: Counter, *values: Sequence[str]) -> None:
    """Show the series of all combinations of label values at once: a rate misses a series' first step."""
    for labels in product(*values):
        counter.labels(*labels)


async def endpoint(request: Request) -> Response:
    """All metrics, in the format that the scraper asks for."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(REGISTRY), 200, {"Content-Type": content_type})


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name}: a metric's name is a known prefix, as payments_, and lower-case words joined by _"
        )
    return name
