"""The recording of traces: OpenTelemetry's sampler, resource and batch processor, an exporter over OTLP/HTTP.

Imported only when there is a collector to send to. The spans and their encoding are our own (`tracing`,
`otlp`): with the SDK's, tracing would cost a fifth of a payment's CPU.
"""

import logging
import ssl
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import cast
from urllib.parse import urlsplit

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

from payments.common import metrics, otlp, tracing
from payments.common.settings import ServiceSettings
from payments.common.tracing import Span, Value

EXPORTED = metrics.counter("payments_spans_exported_total", "Spans that the collector has taken.")
DROPPED = metrics.counter("payments_spans_dropped_total", "Spans that no collector took.")

# How often it exports is OTEL_BSP_SCHEDULE_DELAY, by default every 5 s: an export costs as much as 30 spans.
QUEUE = 8192
BATCH = 256
TIMEOUT_SECONDS = 2.0
#: After a failure: spans are dropped for so long without another try.
PAUSE_SECONDS = 5.0

log = logging.getLogger(__name__)


class Exporter(SpanExporter):
    """Posts batches to a collector, from the batch processor's thread. What it does not take is dropped."""

    def __init__(self, endpoint: str, resource: Resource, authorization: str = "") -> None:
        self._headers = {"Content-Type": "application/x-protobuf"}
        if authorization:
            self._headers["Authorization"] = authorization
        self._url = endpoint.rstrip("/") + "/v1/traces"
        self._path = urlsplit(self._url).path
        values: dict[str, Value] = {
            key: v for key, v in resource.attributes.items() if isinstance(v, str | int | float)
        }
        self._resource = otlp.resource(values)
        self._connection = _connection(self._url)
        self._silent_until = float("-inf")
        self._works = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch, once. Says in the log only that the collector is lost, or is back."""
        if time.monotonic() < self._silent_until or not self._post(cast(Sequence[Span], spans)):
            DROPPED.inc(len(spans))
            return SpanExportResult.FAILURE
        EXPORTED.inc(len(spans))
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, spans: Sequence[Span]) -> bool:
        body = otlp.request(self._resource, spans)
        try:
            answer = self._answer(body)
        except (OSError, HTTPException) as error:
            answer = type(error).__name__
        if answer != "200":
            self._connection.close()
            self._silent_until = time.monotonic() + PAUSE_SECONDS
            if self._works:
                log.warning("traces are dropped, %s does not take them: %s", self._url, answer)
            self._works = False
            return False
        if not self._works:
            log.info("%s takes traces again", self._url)
        self._works = True
        return True

    def _answer(self, body: bytes) -> str:
        """The status. A kept connection that the collector has closed meanwhile is opened anew, once."""
        kept = self._connection.sock is not None
        try:
            self._connection.request("POST", self._path, body, self._headers)
            response = self._connection.getresponse()
        except (ConnectionError, HTTPException):
            self._connection.close()
            if not kept:
                raise
            return self._answer(body)
        response.read()
        return str(response.status)


def _connection(url: str) -> HTTPConnection:
    """A lazy one, without a proxy of the environment: a collector is inside."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS, context=context)
    return HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)


class Recording:
    """The recorder of a service: a bounded queue, drained by a thread, full ones forget the oldest."""

    def __init__(self, exporter: SpanExporter, ratio: float) -> None:
        self._sampler = TraceIdRatioBased(ratio)
        self._processor = BatchSpanProcessor(
            exporter,
            max_queue_size=QUEUE,
            max_export_batch_size=BATCH,
        )

    def record(self, span: Span) -> None:
        """Queue a span that has ended."""
        self._processor.on_end(cast(ReadableSpan, span))

    def samples(self, trace_id: str) -> bool:
        """By the trace's id, so that all who are asked say the same."""
        return self._sampler.should_sample(None, int(trace_id, 16), "").decision is Decision.RECORD_AND_SAMPLE

    def close(self) -> None:
        """Export what is queued."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]


def start(settings: ServiceSettings) -> Recording:
    """Record this process's spans from now on. The caller closes the recording when the service has ended."""
    resource = Resource.create(
        {
            "service.name": settings.service,
            "service.namespace": "payment-platform",
            "service.version": settings.service_version,
            "service.instance.id": settings.pod_name,
            "k8s.namespace.name": settings.identity_namespace,
            "k8s.pod.name": settings.pod_name,
            "deployment.environment.name": settings.platform_profile,
        }
    )
    authorization = settings.otel_exporter_otlp_authorization.get_secret_value().strip()
    exporter = Exporter(settings.otel_exporter_otlp_endpoint, resource, authorization)
    recording = Recording(exporter, settings.otel_traces_sampler_arg)
    tracing.recorder = recording
    return recording
