"""A proxy of the API server that misbehaves on demand; plain HTTP on loopback. Started by proxy.py.

`POST /control` sets members of State, `GET /control` tells what was done.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import random
import signal
import ssl
import sys
from collections.abc import Mapping
from contextlib import suppress

import aiohttp
from aiohttp import web

HOP_BY_HOP = frozenset({"host", "connection", "transfer-encoding", "content-length", "keep-alive"})
ERRORS = (429, 500, 502, 503, 504)
CONTROL = "/control"


@dataclasses.dataclass
class State:
    """What to do, and below it what was done.

    `failing` is the share of requests (0 to 1) that are answered with errors of the server; at 1 every watch
    breaks too. `swallowing` lets watches begin and tells nothing of what happens. `delay` is in seconds, from
    none to twice as long for each request. At write `kill_at` (counted from 1) the process `kill_pid` ends by
    SIGKILL, with the write done (`kill_done`) or not; its answer is never given.
    """

    failing: float = 0.0
    swallowing: bool = False
    delay: float = 0.0
    kill_at: int = 0
    kill_pid: int = 0
    kill_done: bool = False
    failed: int = 0
    swallowed: int = 0
    writes: int = 0


class Faulty:
    """Passes requests on to `url`, more or less."""

    def __init__(self, url: str, session: aiohttp.ClientSession, seed: int) -> None:
        self._url = url
        self._session = session
        self._random = random.Random(seed)
        self._state = State()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request of the operator, or of the one who controls."""
        state = self._state
        if request.path == CONTROL:
            if request.method == "POST":
                self._state = dataclasses.replace(state, **await request.json())
            return web.json_response(dataclasses.asdict(self._state))
        await asyncio.sleep(self._random.uniform(0, 2 * state.delay))
        if self._random.random() < state.failing:
            return self._failure()
        last = request.method != "GET" and "dryRun=" not in request.raw_path and self._is_last()
        if last and not state.kill_done:
            return self._kill(request)
        async with self._session.request(
            request.method,
            self._url + request.raw_path,
            headers=_passed_on(request.headers),
            data=await request.read() or None,
        ) as answer:
            headers = _passed_on(answer.headers)
            if "watch=true" in request.raw_path:
                reply = web.StreamResponse(status=answer.status, headers=headers)
                # A listener that is gone is no error.
                with suppress(ConnectionResetError, aiohttp.ClientError):
                    await self._relay(request, answer, reply)
                return reply
            body = await answer.read()
            if last:
                return self._kill(request)
            return web.Response(status=answer.status, headers=headers, body=body)

    def _is_last(self) -> bool:
        self._state.writes += 1
        return self._state.writes == self._state.kill_at

    def _kill(self, request: web.BaseRequest) -> web.Response:
        os.kill(self._state.kill_pid, signal.SIGKILL)
        if request.transport is not None:
            request.transport.close()
        return web.Response(status=503)

    async def _relay(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse, reply: web.StreamResponse
    ) -> None:
        await reply.prepare(request)
        while chunk := await self._event(request, answer):
            if self._state.swallowing:
                self._state.swallowed += 1
                continue
            await reply.write(chunk)
        await reply.write_eof()

    async def _event(self, request: web.BaseRequest, answer: aiohttp.ClientResponse) -> bytes:
        """The next part of a watch; b"" at its end, which comes with a failure, or when nobody listens."""
        while self._state.failing < 1 and request.transport is not None:
            try:
                return await asyncio.wait_for(answer.content.readany(), 0.5)
            except TimeoutError:
                continue
        return b""

    def _failure(self) -> web.Response:
        status = self._random.choice(ERRORS)
        self._state.failed += 1
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}
        headers = {"Retry-After": "1"} if status == 429 else {}
        return web.json_response(body | {"message": "overloaded"}, status=status, headers=headers)


async def serve(url: str, ca: str, seed: int) -> None:
    """Until the process ends; the first line on stdout is the address."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca), limit=0),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, connect=10),
    ) as session:
        runner = web.ServerRunner(web.Server(Faulty(url, session, seed).answer))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print("http://{}:{}".format(*runner.addresses[0][:2]), flush=True)
        await asyncio.Event().wait()


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
