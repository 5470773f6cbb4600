"""Nothing of a write leaves once another operator may lead, however far its request had come."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from urllib3 import PoolManager

from payment_operator.fence import pools


class Lost(Exception):
    """Instead of the end of the process."""


class Server(BaseHTTPRequestHandler):
    """Notes each request whose body has come."""

    seen: list[str] = []

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if len(self.rfile.read(length)) < length:
            return  # the connection ended before the body had come
        self.seen.append(self.command)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PATCH = answer

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    Server.seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize("passes", [0, 1], ids=["before the headers", "before the body"])
def test_a_write_is_not_sent_once_the_lease_may_be_anothers(url: str, passes: int) -> None:
    asked = 0

    def ask() -> None:
        nonlocal asked
        asked += 1
        if asked > passes:
            raise Lost

    manager = PoolManager(retries=False)
    manager.pool_classes_by_scheme = pools(ask)
    assert manager.request("GET", url, timeout=5).status == 200
    assert asked == 0, "reading needs no leave"
    with pytest.raises(Lost):
        manager.request("PATCH", url, body=b"{}", timeout=5)
    manager.clear()
    assert asked == passes + 1
    assert Server.seen == ["GET"]


def test_the_leader_writes(url: str) -> None:
    manager = PoolManager(retries=False)
    manager.pool_classes_by_scheme = pools(lambda: None)
    assert manager.request("PATCH", url, body=b"{}", timeout=5).status == 200
    manager.clear()
    assert Server.seen == ["PATCH"]
