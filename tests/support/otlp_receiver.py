"""A collector of traces for tests: takes OTLP over HTTP, decodes it with the generated classes, keeps it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Received:
    """One span; ids in hex, `parent` empty for a root, times in nanoseconds."""

    service: str
    name: str
    kind: int
    trace: str
    id: str
    parent: str
    start: int
    end: int
    attributes: dict[str, Any]
    error: bool
    resource: dict[str, Any]


class Receiver:
    """`spans` of all requests so far, and their `bodies` as they came; `status` is the answer.

    `headers` are those of the last request, by their names in small letters.
    """

    def __init__(self, port: int = 0) -> None:
        self.spans: list[Received] = []
        self.bodies: list[bytes] = []
        self.headers: dict[str, str] = {}
        self.status = 200
        self._release = threading.Event()
        self._release.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.headers = {name.lower(): value for name, value in self.headers.items()}
                receiver._release.wait()
                status = receiver.status if self.path == "/v1/traces" else 404
                if status == 200:
                    receiver.bodies.append(body)
                    receiver.spans += decode(body)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    return  # the client has gone: it waited long enough

            def log_message(self, *_: object) -> None:
                """Keeps the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._release.set()
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Requests are read and wait until the block ends."""
        self._release.clear()
        try:
            yield
        finally:
            self._release.set()

    def clear(self) -> None:
        """Forget what came."""
        self.spans.clear()
        self.bodies.clear()

    def traces(self) -> dict[str, list[Received]]:
        """Spans by trace."""
        found: dict[str, list[Received]] = {}
        for span in list(self.spans):
            found.setdefault(span.trace, []).append(span)
        return found


def decode(body: bytes) -> list[Received]:
    """The spans of an ExportTraceServiceRequest. Raises DecodeError."""
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    return [
        Received(
            service=resource["service.name"],
            name=span.name,
            kind=span.kind,
            trace=span.trace_id.hex(),
            id=span.span_id.hex(),
            parent=span.parent_span_id.hex(),
            start=span.start_time_unix_nano,
            end=span.end_time_unix_nano,
            attributes=_plain(span.attributes),
            error=span.status.code == 2,
            resource=resource,
        )
        for group in request.resource_spans
        for resource in (_plain(group.resource.attributes),)
        for scope in group.scope_spans
        for span in scope.spans
    ]


def _plain(attributes: Any) -> dict[str, Any]:
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in attributes}
