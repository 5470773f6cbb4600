"""A gate in front of a peer: passes everything on, and fails on request in the ways that networks fail."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

_PASSED_ON = ("authorization", "content-type", "x-actor-token", "x-request-id", "x-deadline", "traceparent")

_PASSED_BACK = ("content-type", "x-request-id", "retry-after")


@dataclass
class Fault:
    """What happens to the next `times` requests whose path begins with `path`.

    how: `lost` (never passed on, the connection breaks), `answer_lost` (passed on, then the connection
    breaks), `500` (passed on, answered 500), `refused_500` (answered 500, not passed on), `held` (passed on,
    the answer kept back until the gate is released), `held_before` (kept back, then never passed on).
    """

    path: str
    how: str
    times: int = 1


@dataclass
class Gate:
    """Counts requests by path, keeps `held` answers until `release`."""

    target: str
    session: aiohttp.ClientSession
    faults: list[Fault] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    def fail(self, path: str, how: str, times: int = 1) -> None:
        """Ask for a fault."""
        self.reached.clear()
        self.released.clear()
        self.faults.append(Fault(path, how, times))

    def heal(self) -> None:
        """Forget all faults and let go what is held."""
        self.faults.clear()
        self.released.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any method and path."""
        fault = self._fault(request.path)
        how = fault.how if fault else ""
        if request.path != "/live":
            self.seen[f"{request.method} {request.path}"] += 1
        body = await request.read()
        if how == "lost":
            return self._break(request)
        if how == "refused_500":
            return web.Response(status=500, headers={"X-Request-Id": request.headers["X-Request-Id"]})
        if how == "held_before":
            self.reached.set()
            await self.released.wait()
            return self._break(request)
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        async with self.session.request(
            request.method, self.target + request.raw_path, data=body, headers=headers
        ) as reply:
            answer = await reply.read()
            kept = {name: reply.headers[name] for name in _PASSED_BACK if name in reply.headers}
            status = reply.status
        if how == "held":
            self.reached.set()
            await self.released.wait()
        if how == "answer_lost":
            return self._break(request)
        if how == "500":
            return web.Response(status=500, headers={"X-Request-Id": request.headers["X-Request-Id"]})
        return web.Response(status=status, body=answer, headers=kept)

    def _fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if path.startswith(fault.path) and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    @staticmethod
    def _break(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response(status=500)


@asynccontextmanager
async def gate(target: str) -> AsyncIterator[Gate]:
    """A gate on a free port of the loopback."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        made = Gate(target, session)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", made.handle)
        runner = web.AppRunner(application, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield made
        finally:
            made.heal()
            await runner.cleanup()
