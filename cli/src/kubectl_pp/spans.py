"""Traces as Jaeger's API gives them (https://www.jaegertracing.io/docs, "APIs"), as trees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
#: Shown behind a span's name, in this order.
SHOWN = (
    *("peer.service", "http.response.status_code", "payment.risk_level", "payment.outcome"),
    *("messaging.batch.message_count", "error.type"),
)


@dataclass(frozen=True)
class Span:
    """One span; times in microseconds."""

    id: str
    parent: str
    service: str
    name: str
    start: int
    duration: int
    tags: Object


@dataclass(frozen=True)
class Trace:
    """Spans of one trace, by start."""

    id: str
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, data: Object) -> Trace:
        """From one member of Jaeger's `data`."""
        names = {key: process["serviceName"] for key, process in data["processes"].items()}
        spans = [
            Span(
                id=item["spanID"],
                parent=next((r["spanID"] for r in item["references"] if r["refType"] == "CHILD_OF"), ""),
                service=names[item["processID"]],
                name=item["operationName"],
                start=item["startTime"],
                duration=item["duration"],
                tags={tag["key"]: tag["value"] for tag in item["tags"]},
            )
            for item in data["spans"]
        ]
        return cls(data["traceID"], tuple(sorted(spans, key=lambda span: span.start)))

    @property
    def start(self) -> int:
        """When it began, in microseconds of the Unix time."""
        return self.spans[0].start if self.spans else 0

    @property
    def services(self) -> set[str]:
        """Who took part."""
        return {span.service for span in self.spans}

    @property
    def orphans(self) -> list[Span]:
        """Spans whose parent is not in the trace, its first one aside: a client's span is not ours."""
        ids = {span.id for span in self.spans}
        return [span for span in self.spans[1:] if span.parent and span.parent not in ids]


def tree(trace: Trace) -> Iterator[str]:
    """Lines: offset from the beginning, duration, service, name, what matters of the attributes."""
    began = datetime.fromtimestamp(trace.start / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    yield f"Trace {trace.id}, {began} UTC: {len(trace.spans)} spans of {len(trace.services)} services"
    yield f"{'from ms':>9} {'took ms':>9}"
    ids = {span.id for span in trace.spans}
    children: dict[str, list[Span]] = {}
    for span in trace.spans:
        children.setdefault(span.parent if span.parent in ids else "", []).append(span)
    yield from _branch(trace, children, "", "")


def _branch(trace: Trace, children: dict[str, list[Span]], parent: str, indent: str) -> Iterator[str]:
    below = children.get(parent, [])
    for number, span in enumerate(below):
        last = number == len(below) - 1
        offset, took = (span.start - trace.start) / 1000, span.duration / 1000
        notes = [f"{key.rpartition('.')[2]}={span.tags[key]}" for key in SHOWN if key in span.tags]
        text = f"{span.service}: {span.name}" + (f"  ({', '.join(notes)})" if notes else "")
        lost = "  ORPHAN" if span in trace.orphans else ""
        yield f"{offset:9.1f} {took:9.1f}  {indent}{'└' if last else '├'}─ {text}{lost}"
        yield from _branch(trace, children, span.id, indent + ("   " if last else "│  "))
