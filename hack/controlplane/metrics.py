"""A stand-in for Prometheus: answers the operator's queries with what a test says of services."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Metrics:
    """Runs for the block. ``behind`` is what waits, ``stuck`` names services whose offsets stand still.

    ``cores`` and ``bytes`` are what services used.
    """

    def __init__(self) -> None:
        self.behind: dict[str, float] = {}
        self.stuck: set[str] = set()
        self.cores: dict[str, float] = {}
        self.bytes: dict[str, float] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)["query"][0]
                body = json.dumps({"status": "success", "data": {"result": outer.answer(query)}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the operator's log tells enough."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Metrics:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, query: str) -> list[dict[str, object]]:
        """The series of one query."""
        values: dict[str, float] = {}
        if "kafka_consumergroup_current_offset" in query:
            values = dict.fromkeys(self.stuck, 1.0)
        elif "process_cpu_seconds_total" in query:
            values = dict(self.cores)
        elif "process_resident_memory_bytes" in query:
            values = dict(self.bytes)
        elif query.startswith("sum by (service) (max by"):
            values = dict(self.behind)
        return [
            {"metric": {"service": name}, "value": [0, str(value)]} for name, value in sorted(values.items())
        ]
