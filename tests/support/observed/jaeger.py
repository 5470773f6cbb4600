"""Jaeger's HTTP API: https://www.jaegertracing.io/docs/latest/architecture/apis."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.support.observed.http import ask

CLIENT, CONSUMER = "client", "consumer"
MOST = 1500


@dataclass(frozen=True)
class Span:
    """One span. `parent` is empty for the first one of a trace."""

    id: str
    parent: str
    service: str
    name: str
    tags: dict[str, Any]


@dataclass(frozen=True)
class Trace:
    """All spans that Jaeger has of a trace; `raw` is what it answered, without times."""

    id: str
    spans: list[Span]
    raw: str

    @property
    def services(self) -> set[str]:
        """Who took part."""
        return {span.service for span in self.spans}

    @property
    def orphans(self) -> list[Span]:
        """Spans whose parent is not there."""
        ids = {span.id for span in self.spans}
        return [span for span in self.spans if span.parent and span.parent not in ids]

    @property
    def roots(self) -> list[Span]:
        """Spans without a parent."""
        return [span for span in self.spans if not span.parent]

    @property
    def payments(self) -> set[str]:
        """The payments that it names."""
        return {str(span.tags["payment.id"]) for span in self.spans if "payment.id" in span.tags}


@dataclass(frozen=True)
class Jaeger:
    """A server at `url`."""

    url: str

    def services(self) -> list[str]:
        """All that have sent a span."""
        found: list[str] = ask(f"{self.url}/api/services")["data"] or []
        return found

    def traces(self, service: str, began: float, **tags: str) -> list[Trace]:
        """Traces since `began` (Unix time) in which the service has a span, with these tags if any.

        Raises AssertionError when there may be more of them than Jaeger tells.
        """
        times = {"start": str(int(began * 1e6)), "end": str(int((time.time() + 60) * 1e6))}
        query = {"service": service, "limit": str(MOST), **times}
        query |= {"tags": json.dumps(tags)} if tags else {}
        found = ask(f"{self.url}/api/traces", **query)["data"] or []
        assert len(found) < MOST, "there may be more traces"
        return [trace(item) for item in found]

    def of_payments(self, payments: Iterable[str], began: float) -> dict[str, list[Trace]]:
        """By payment, the traces since `began` that name it."""
        by_payment: dict[str, list[Trace]] = {payment: [] for payment in payments}
        for found in self.traces("api-gateway", began):
            for payment in found.payments & by_payment.keys():
                by_payment[payment].append(found)
        return by_payment


def trace(item: dict[str, Any]) -> Trace:
    """A trace as Jaeger's JSON has it."""
    names = {key: process["serviceName"] for key, process in item["processes"].items()}
    spans = [
        Span(
            span["spanID"],
            next((ref["spanID"] for ref in span["references"] if ref["refType"] == "CHILD_OF"), ""),
            names[span["processID"]],
            span["operationName"],
            {tag["key"]: tag["value"] for tag in span["tags"]},
        )
        for span in item["spans"]
    ]
    for timed in [*item["spans"], *(log for span in item["spans"] for log in span["logs"] or [])]:
        for name in ("startTime", "duration", "timestamp"):
            timed.pop(name, None)
    return Trace(item["traceID"], spans, json.dumps(item))
