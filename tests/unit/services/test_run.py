"""How a pod stops: it goes on answering, each answer ends its connection, and then it ends."""

import http.client
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI

from payments.run import Server

DELAY = 0.5


@pytest.fixture
def server() -> Iterator[tuple[Server, int]]:
    """A server of one route, running; its port."""
    app = FastAPI()
    app.state.stopping = False

    @app.get("/")
    async def answer() -> str:
        return "here"

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, loop="asyncio", http="httptools", log_config=None, date_header=False)
    server = Server(config, app, DELAY)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server, listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    listener.close()
    assert not thread.is_alive()


def test_after_the_signal_each_answer_ends_its_connection(server: tuple[Server, int]) -> None:
    running, port = server
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=5)

    def ask(connection: http.client.HTTPConnection) -> tuple[int, str | None]:
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert answer.read() == b'"here"'
        return answer.status, answer.getheader("connection")

    assert [ask(kept) for _ in range(3)] == [(200, None)] * 3
    first = kept.sock
    began = time.monotonic()
    running.handle_exit(signal.SIGTERM, None)
    assert ask(kept) == (200, "close"), "the kept connection is served once more"
    assert kept.sock is None and first is not None
    assert ask(kept) == (200, "close"), "and so is a new one, until the endpoints know"
    while not running.should_exit:
        time.sleep(0.01)
    assert time.monotonic() - began >= DELAY - 0.1
    kept.close()
