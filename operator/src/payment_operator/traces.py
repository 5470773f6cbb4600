"""A span for each reconcile, with the conditions it found, over OTLP/HTTP; nothing without an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import StatusCode, Tracer

from payment_operator.errors import OperatorError

#: Seconds that one export may take; it is tried again, then given up.
TIMEOUT = 2
_tracer: Tracer | None = None


def start(endpoint: str, ratio: float, *, pod: str) -> Callable[[], None]:
    """Record spans from now on. Returns what sends the rest and ends it; does nothing without an endpoint.

    Args:
        endpoint: base URL of a collector.
        ratio: share of the reconciles that is recorded.
    """
    global _tracer
    if not endpoint:
        return lambda: None
    # Loaded only now: the SDK takes time and memory.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    resource = Resource.create(
        {
            "service.name": "payment-operator",
            "service.instance.id": pod,
            "k8s.pod.name": pod,
        }
    )
    provider = TracerProvider(sampler=ParentBasedTraceIdRatio(ratio), resource=resource)
    exporter = OTLPSpanExporter(endpoint.rstrip("/") + "/v1/traces", timeout=TIMEOUT)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=512, max_export_batch_size=128))
    _tracer = provider.get_tracer("payment_operator")

    def stop() -> None:
        global _tracer
        _tracer = None
        provider.shutdown()

    return stop


@contextmanager
def reconciling(namespace: str) -> Iterator[None]:
    """The span of one reconcile; failed, by the reason's name, when that raises."""
    if _tracer is None:
        yield
        return
    with _tracer.start_as_current_span(
        "reconcile",
        attributes={"k8s.namespace.name": namespace},
        record_exception=False,  # its text may quote what a user wrote
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Exception as error:
            reason = error.reason if isinstance(error, OperatorError) else type(error).__name__
            span.set_attribute("error.type", reason)
            span.set_status(StatusCode.ERROR)
            raise


def note(conditions: Iterable[Mapping[str, Any]]) -> None:
    """The conditions that this reconcile found: their status and reason."""
    span = trace.get_current_span()
    if span.is_recording():
        for item in conditions:
            name = f"paymentplatform.condition.{item['type']}"
            span.set_attributes({name: item["status"], f"{name}.reason": item["reason"]})
