"""How a pod stops: it goes on answering, each answer ends its connection, and then it ends."""

import asyncio
import http.client
import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from payments.common import logs
from payments.run import LOOK_SECONDS, Server

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


def stopped_at(counter: int, delay: float) -> int:
    """How many further ticks a server takes to stop that gets the signal at this one."""
    app = FastAPI()
    app.state.stopping = True
    server = Server(uvicorn.Config(app, log_config=None), app, delay)
    for ticks in range(1000):
        # As uvicorn counts: anew after a day.
        if asyncio.run(server.on_tick((counter + ticks) % 864_000)):
            return ticks
        time.sleep(0.01)
    raise AssertionError("it does not stop")


def test_a_server_stops_after_its_delay_also_where_uvicorn_counts_anew() -> None:
    assert stopped_at(863_999, 0.05) <= 10
    assert stopped_at(0, 0.0) == 0


def test_a_running_server_follows_the_level_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "level"
    path.write_text("ERROR")
    app = FastAPI()
    app.state.stopping = False
    server = Server(uvicorn.Config(app, log_config=None), app, DELAY, logs.LevelFile(path))
    root = logging.getLogger()
    before = root.level
    try:
        asyncio.run(server.on_tick(LOOK_SECONDS * 10 - 1))
        assert root.level == before
        asyncio.run(server.on_tick(LOOK_SECONDS * 10))
        assert root.level == logging.ERROR
    finally:
        root.setLevel(before)
