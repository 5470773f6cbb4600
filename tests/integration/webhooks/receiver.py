"""A merchant's server on the loopback: records what it is sent and answers what the test wants."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

LOST = -1  # the connection breaks after the request was read


@dataclass(frozen=True)
class Received:
    """One request, with the moment it was complete."""

    path: str
    headers: dict[str, str]
    body: str
    at: float

    @property
    def event(self) -> dict[str, Any]:
        """The body as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def verify(self, secret: str) -> None:
        """Raises WebhookVerificationError when the secret's signature is not among them."""
        Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """Paths stand for endpoints. `answers[path]` are used up one by one, then everything is 200."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    delays: dict[str, float] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    at_once: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    most_at_once: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def at(self, path: str) -> list[Received]:
        """What came to a path."""
        return [one for one in self.received if one.path == path]

    def events(self, path: str) -> list[str]:
        """Ids of the events that came to a path, as often as they came."""
        return [one.headers["webhook-id"] for one in self.at(path)]

    async def until(self, path: str, count: int, seconds: float = 15) -> list[Received]:
        """Wait for `count` requests to a path."""
        end = time.monotonic() + seconds
        while len(self.at(path)) < count:
            assert time.monotonic() < end, f"{len(self.at(path))} of {count} came to {path} in {seconds} s"
            await asyncio.sleep(0.02)
        return self.at(path)

    async def until_events(self, path: str, wanted: Iterable[str], seconds: float = 20) -> None:
        """Wait until each of these events has come at least once."""
        missing, end = set(wanted), time.monotonic() + seconds
        while missing := missing - set(self.events(path)):
            assert time.monotonic() < end, f"{len(missing)} events never came to {path}"
            await asyncio.sleep(0.02)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any method and path."""
        path = request.path
        self.at_once[path] += 1
        self.most_at_once[path] = max(self.most_at_once[path], self.at_once[path])
        try:
            body = (await request.read()).decode()
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.received.append(Received(path, headers, body, time.monotonic()))
            status = self.answers[path].pop(0) if self.answers[path] else 200
            await asyncio.sleep(self.delays.get(path, 0))
        finally:
            self.at_once[path] -= 1
        if status == LOST:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        location = {"Location": f"{self.url}/elsewhere"} if 300 <= status < 400 else None
        return web.Response(status=status, body=self.bodies.get(path, b"thanks"), headers=location)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver on a free port."""
    made = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, handler_cancellation=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    made.url = f"http://127.0.0.1:{port}"
    yield made
    await runner.cleanup()
