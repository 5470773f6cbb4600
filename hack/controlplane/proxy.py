"""Stands between the operator and the API server and misbehaves on demand; plain HTTP on loopback."""

from __future__ import annotations

import asyncio
import random
import ssl
import threading
from collections.abc import Mapping

import aiohttp
from aiohttp import web

from hack.controlplane.servers import ControlPlane

HOP_BY_HOP = frozenset({"host", "connection", "transfer-encoding", "content-length", "keep-alive"})
ERRORS = (429, 500, 502, 503, 504)
START_SECONDS = 10.0
CHUNK = 2**16


class Proxy:
    """A proxy in a thread of its own.

    `failing` answers with errors of the server and breaks every watch; `swallowing` lets watches begin and
    tells nothing of what happens, on those that are open too.
    """

    def __init__(self, plane: ControlPlane, seed: int) -> None:
        self._plane = plane
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._main, name="proxy", daemon=True)
        self._listens = threading.Event()
        self._ended = asyncio.Event()
        self.failing = False
        self.swallowing = False
        self.failed: dict[int, int] = {}
        self.swallowed = 0
        self.url = ""

    def __enter__(self) -> Proxy:
        self._thread.start()
        if not self._listens.wait(START_SECONDS):
            raise RuntimeError("the proxy does not listen")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(START_SECONDS)

    def _main(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        context = ssl.create_default_context(cafile=str(self._plane.ca))
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=0),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=10),
        ) as session:
            server = web.Server(lambda request: self._answer(session, request))
            runner = web.ServerRunner(server, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = "http://{}:{}".format(*runner.addresses[0][:2])
            self._listens.set()
            await self._ended.wait()
            await runner.cleanup()

    async def _answer(self, session: aiohttp.ClientSession, request: web.BaseRequest) -> web.StreamResponse:
        if self.failing:
            return self._failure()
        async with session.request(
            request.method,
            self._plane.url + request.raw_path,
            headers=_passed_on(request.headers),
            data=await request.read(),
        ) as answer:
            reply = web.StreamResponse(status=answer.status, headers=_passed_on(answer.headers))
            await reply.prepare(request)
            await self._relay(answer, reply, watch="watch=true" in request.raw_path)
            return reply

    async def _relay(self, answer: aiohttp.ClientResponse, reply: web.StreamResponse, *, watch: bool) -> None:
        while chunk := await self._chunk(answer, watch=watch):
            if watch and self.swallowing:
                self.swallowed += 1
                continue
            await reply.write(chunk)
        await reply.write_eof()

    async def _chunk(self, answer: aiohttp.ClientResponse, *, watch: bool) -> bytes:
        """The next part; b"" at the end, which for a watch comes with the first failure."""
        while watch:
            if self.failing:
                return b""
            try:
                return await asyncio.wait_for(answer.content.readany(), 0.5)
            except TimeoutError:
                continue
        return await answer.content.read(CHUNK)

    def _failure(self) -> web.Response:
        status = self._random.choice(ERRORS)
        self.failed[status] = self.failed.get(status, 0) + 1
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}
        headers = {"Retry-After": "1"} if status == 429 else {}
        return web.json_response(body | {"message": "overloaded"}, status=status, headers=headers)


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}
