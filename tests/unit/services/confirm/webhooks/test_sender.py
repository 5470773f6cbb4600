"""What the sender makes of answers, of silence, and of names that lead inside."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from payments.confirm.webhooks.addresses import Guard
from payments.confirm.webhooks.sender import KEPT_BYTES, Sender

SEEN: list[str] = []


async def _answer(request: web.Request) -> web.StreamResponse:
    SEEN.append(request.path)
    if request.path == "/slow":
        await asyncio.sleep(2)
    if request.path == "/garbage" and request.transport is not None:
        request.transport.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        request.transport.close()
    if request.path == "/endless":
        stream = web.StreamResponse(headers={"Content-Encoding": "gzip"})
        await stream.prepare(request)
        try:
            while True:
                await stream.write(b"\x00" * 4096)
        except (ConnectionError, asyncio.CancelledError):
            return stream
    if request.path == "/moved":
        return web.Response(status=302, headers={"Location": "/elsewhere"})
    return web.Response(text="thanks", headers={"Set-Cookie": "a=b"})


@pytest.fixture
async def server() -> AsyncIterator[int]:
    """A server on the loopback; its port."""
    SEEN.clear()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def sender(*, private: bool = True, timeout: float = 0.5) -> Sender:
    return Sender(Guard(https_only=False, allow_private=private), timeout=timeout)


async def test_answers_and_their_absence(server: int, unused_port: int) -> None:
    here = f"http://127.0.0.1:{server}"
    async with sender() as open_sender:
        good = await open_sender.send(f"{here}/ok", "{}", {})
        assert (good.status, good.response, good.error, good.delivered) == (200, "thanks", None, True)
        moved = await open_sender.send(f"{here}/moved", "{}", {})
        assert (moved.status, moved.delivered) == (302, False) and "/elsewhere" not in SEEN
        slow = await open_sender.send(f"{here}/slow", "{}", {})
        assert (slow.status, slow.error) == (None, "timeout") and 400 < slow.duration_ms < 1500
        endless = await open_sender.send(f"{here}/endless", "{}", {})
        assert endless.status == 200 and endless.response == "\ufffd" * KEPT_BYTES
        garbage = await open_sender.send(f"{here}/garbage", "{}", {})
        assert garbage.error == "no_valid_answer"
        closed = await open_sender.send(f"http://127.0.0.1:{unused_port}/", "{}", {})
        assert closed.error == "connection_failed"
        plain = await open_sender.send(f"https://127.0.0.1:{server}/", "{}", {})
        assert plain.error == "tls_failed"
        nowhere = await open_sender.send("http://nowhere.invalid/", "{}", {})
        assert nowhere.error == "name_not_resolved"


@pytest.fixture
def unused_port() -> int:
    """A port of the loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"]
)
async def test_however_it_is_written_nothing_inside_is_reached(server: int, host: str) -> None:
    async with sender(private=False) as strict:
        attempt = await strict.send(f"http://{host}:{server}/secret", "{}", {})
    assert attempt.error in ("address_not_allowed", "name_not_resolved", "no_valid_answer")
    assert SEEN == []


async def test_a_name_that_changes_its_address_is_checked_at_each_connection(
    server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the name that was fine when the URL was written leads to the loopback now."""
    guard = Guard(https_only=False, allow_private=False)
    assert guard.fault("http://rebind.example.com/") is None
    loop = asyncio.get_running_loop()
    asked = []

    async def getaddrinfo(host: Any, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server))]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    async with Sender(guard, timeout=0.5) as strict:
        attempts = [await strict.send("http://rebind.example.com/secret", "{}", {}) for _ in range(2)]
    assert [attempt.error for attempt in attempts] == ["address_not_allowed"] * 2
    assert len(asked) == 2
    async with sender() as allowed:  # the same name gets through where private addresses are allowed
        assert (await allowed.send("http://rebind.example.com/secret", "{}", {})).delivered
    assert SEEN == ["/secret"]
