"""A service behind the gateway that records what it is asked and answers what the test wants."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True)
class Seen:
    """One request, as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: object


@dataclass
class EchoPeer:
    """Answers `status`, `body` and `headers` after `delay` seconds; keeps all requests but /live.

    As every service does it echoes X-Request-Id, unless `echo_id` is False. `connections` counts those that
    brought a request.
    """

    port: int = 0
    status: int = 200
    body: bytes = b'{"object":"echo"}'
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    echo_id: bool = True
    seen: list[Seen] = field(default_factory=list)

    def reset(self) -> None:
        """Forget what was seen and answer as at first."""
        fresh = EchoPeer(port=self.port)
        self.__dict__.update(fresh.__dict__)

    @property
    def connections(self) -> int:
        """How many connections the requests came on."""
        return len({request.peer for request in self.seen})

    @property
    def last(self) -> Seen:
        """The latest request."""
        return self.seen[-1]

    async def handle(self, request: web.Request) -> web.Response:
        """Any method and path."""
        body = await request.read()
        if request.path == "/live":
            return web.Response(text=json.dumps({"status": "alive"}), headers={"X-Request-Id": "live"})
        lowered = {name.lower(): value for name, value in request.headers.items()}
        peer = request.transport.get_extra_info("peername") if request.transport else None
        self.seen.append(Seen(request.method, request.raw_path, lowered, body, peer))
        await asyncio.sleep(self.delay)
        kind = "application/json" if self.status < 400 else "application/problem+json"
        headers = {"Content-Type": kind} | self.headers
        if self.echo_id:
            headers["X-Request-Id"] = lowered.get("x-request-id", "")
        return web.Response(body=self.body, status=self.status, headers=headers)


@asynccontextmanager
async def echo_peer(port: int = 0) -> AsyncIterator[EchoPeer]:
    """An EchoPeer on the loopback (any free port for 0)."""
    peer = EchoPeer()
    application = web.Application(client_max_size=20 * 1024 * 1024)
    application.router.add_route("*", "/{path:.*}", peer.handle)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    peer.port = runner.addresses[0][1]
    try:
        yield peer
    finally:
        await runner.cleanup()
