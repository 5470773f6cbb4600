"""A chain of services on real sockets: each hop has less time than its caller, and work stops in time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from payments.common import context
from payments.common.auth import TokenFile
from payments.common.breaker import Breaker, State
from payments.common.errors import unavailable
from payments.common.http import Http, Peer, PeerDown
from payments.common.metrics import REGISTRY
from payments.common.middleware import Problems, RequestContext
from tests.support.echo_peer import echo_peer


@dataclass
class Chain:
    """`first` is the way in; the last of the hops works for `work` seconds."""

    work: float = 0
    deadlines: list[float] = field(default_factory=list)
    stopped: list[float] = field(default_factory=list)
    finished: int = 0
    first: Any = None

    async def last(self, _: Request) -> Response:
        self.note()
        try:
            await asyncio.sleep(self.work)
        except asyncio.CancelledError:
            self.stopped.append(time.time())
            raise
        self.finished += 1
        return JSONResponse({})

    def note(self) -> None:
        end = context.deadline.get()
        assert end is not None
        self.deadlines.append(end)

    def through(self, peer: Peer) -> Any:
        async def handler(_: Request) -> Response:
            self.note()
            try:
                reply = await peer.get("/")
            except PeerDown as error:
                raise unavailable(peer.name) from error
            return Response(reply.body, reply.status)

        return handler


@asynccontextmanager
async def served(handler: Any) -> AsyncIterator[str]:
    """An app of one route with the services' own middleware."""
    app = Starlette(
        routes=[Route("/", handler)],
        middleware=[Middleware(RequestContext, timeout=30.0), Middleware(Problems)],
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[Chain]:
    """Four hops, each with the same patience for the next."""
    (tmp_path / "token").write_text("a token")
    made = Chain()
    async with AsyncExitStack() as exits:
        http = await exits.enter_async_context(Http(TokenFile(tmp_path / "token")))
        handler: Any = made.last
        for hop in ("d", "c", "b"):
            peer = http.peer(hop, await exits.enter_async_context(served(handler)), timeout=5)
            handler = made.through(peer)
        made.first = http.peer("a", await exits.enter_async_context(served(handler)), timeout=5)
        yield made


async def test_each_hop_sees_an_earlier_deadline(chain: Chain) -> None:
    end = time.time() + 2
    context.deadline.set(end)
    assert (await chain.first.get("/")).status == 200
    assert len(chain.deadlines) == 4
    left = [end, *chain.deadlines]
    assert all(before - after > 0.0189 for before, after in zip(left, left[1:], strict=False)), left


async def test_work_stops_at_the_deadline_on_every_hop(chain: Chain) -> None:
    chain.work = 20
    context.deadline.set(time.time() + 0.8)
    began = time.time()
    with pytest.raises(PeerDown):
        reply = await chain.first.get("/")
        assert reply.status == 503  # the next hop's own answer may still be in time
        raise PeerDown("a", sent=True)
    assert time.time() - began < 5  # seconds of grace for a busy machine, none of them is the work's 20
    await asyncio.sleep(0.1)
    assert chain.finished == 0
    assert len(chain.stopped) == 1 and chain.stopped[0] < began + 5


async def test_no_call_begins_without_time_left(chain: Chain) -> None:
    context.deadline.set(time.time() + 0.01)
    with pytest.raises(PeerDown) as caught:
        await chain.first.get("/")
    assert not caught.value.sent
    assert not chain.deadlines
    assert chain.first.breaker.state is State.CLOSED


async def test_a_silent_peer_opens_the_circuit_and_then_fails_at_once(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a token")
    async with echo_peer() as server, Http(TokenFile(tmp_path / "token")) as http:
        server.delay = 5
        peer = http.peer("a-silent-one", f"http://127.0.0.1:{server.port}", timeout=0.05)
        changes: list[State] = []
        peer.breaker = Breaker(pause=60, changed=changes.append)
        for _ in range(5):
            with pytest.raises(PeerDown) as caught:
                await peer.get("/version")
            assert caught.value.sent
        assert changes == [State.OPEN]
        asked = len(server.seen)
        with pytest.raises(PeerDown) as caught:
            await peer.get("/version")
        assert not caught.value.sent and len(server.seen) == asked
        await peer.ping()  # told past the circuit, and no proof that questions are answered
        assert REGISTRY.get_sample_value("payments_circuit_refused_total", {"peer": "a-silent-one"}) == 1
        server.delay = 0
        assert (await peer.get("/version", guarded=False)).status == 200
        assert changes == [State.OPEN, State.CLOSED]


async def test_little_time_of_the_callers_own_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a token")
    async with echo_peer() as server, Http(TokenFile(tmp_path / "token")) as http:
        server.delay = 5
        peer = http.peer("kyc-service", f"http://127.0.0.1:{server.port}", timeout=5)
        for _ in range(8):
            context.deadline.set(time.time() + 0.05)
            with pytest.raises(PeerDown):
                await peer.get("/version")
        assert peer.breaker.state is State.CLOSED
