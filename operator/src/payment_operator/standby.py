"""What a candidate answers to its probes while another operator leads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _StandsBy(BaseHTTPRequestHandler):
    timeout = 5

    def do_GET(self) -> None:
        """Healthy, for it waits as it should."""
        body = b"standby\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Probes are not worth a line."""


@contextmanager
def probes(port: int) -> Iterator[None]:
    """Answer on `port` (0: not at all) until the end of the block; then the port is free for the leader's."""
    if not port:
        yield
        return
    with ThreadingHTTPServer(("", port), _StandsBy) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
