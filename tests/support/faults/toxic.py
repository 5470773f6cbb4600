"""A TCP proxy that fails as networks fail: down, slow, resetting, half-open."""

import asyncio
import random
import socket
import struct
from collections import deque
from typing import Literal

Mode = Literal["pass", "down", "slow", "reset", "half_open", "stuck"]
MODES: tuple[Mode, ...] = ("down", "slow", "reset", "half_open")


class Toxic:
    """Forwards to `target`, in one of these modes:

    pass        everything goes through
    down        connections are closed, new ones refused
    slow        every chunk takes `delay` seconds in each direction
    reset       requests go through; every tenth chunk of an answer is lost and both ends get a RST
    half_open   nothing goes through and nobody is told; healing delivers what was held back, late
    stuck       the same for the connections that exist; new ones work
    """

    def __init__(self, target: tuple[str, int], rng: random.Random, *, delay: float = 0.15) -> None:
        self.target = target
        self.rng = rng
        self.delay = delay
        self.mode: Mode = "pass"
        self.port = 0
        self.links: set[Link] = set()
        self.healed = asyncio.Event()
        self.healed.set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen; on the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Link(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def set(self, mode: Mode) -> None:
        """Change how it behaves, at once and for the connections that exist too."""
        was, self.mode = self.mode, mode
        for link in self.links:
            link.stuck = mode == "stuck"
        if mode == "half_open":
            self.healed.clear()
        else:
            self.healed.set()
        if mode == "down":
            await self.close()
        elif was == "down":
            await self.open()
        for link in list(self.links):
            link.changed()

    @property
    def held(self) -> int:
        """Connections with something held back that their client has sent."""
        return sum(link.holds_back for link in self.links)

    async def close(self) -> None:
        """Reset all connections and listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in list(self.links):
            link.reset()


class Pipe:
    """One direction: keeps the order of what is held back."""

    def __init__(self, toxic: Toxic, link: "Link") -> None:
        self._toxic = toxic
        self._link = link
        self._held: deque[tuple[float, bytes | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.to: asyncio.Transport | None = None

    def put(self, data: bytes | None) -> None:
        """Pass on `data`; None closes."""
        loop = asyncio.get_running_loop()
        due = loop.time() + (self._toxic.delay if self._toxic.mode == "slow" else 0)
        self._held.append((due, data))
        self.pump()

    def pump(self) -> None:
        """Pass on what may go now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        while self._held and not self._frozen and self.to is not None:
            due, data = self._held[0]
            if self._toxic.mode == "slow" and due > loop.time():
                self._timer = loop.call_at(due, self.pump)
                return
            self._held.popleft()
            if data is None:
                self.to.close()
                self._link.ended(self)
            elif not self.to.is_closing():
                self.to.write(data)

    @property
    def _frozen(self) -> bool:
        return self._link.stuck or self._toxic.mode == "half_open"

    @property
    def has_data(self) -> bool:
        """True while bytes are held back."""
        return any(data for _, data in self._held)


class Link(asyncio.Protocol):
    """A client's connection and the one to the target."""

    def __init__(self, toxic: Toxic) -> None:
        self._toxic = toxic
        self._client: asyncio.Transport | None = None
        self._server: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._out = Pipe(toxic, self)
        self._back = Pipe(toxic, self)
        self.stuck = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client has connected."""
        assert isinstance(transport, asyncio.Transport)
        self._client = self._back.to = transport
        self._toxic.links.add(self)
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        await self._toxic.healed.wait()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(5):
                server, _ = await loop.create_connection(lambda: _Upstream(self), *self._toxic.target)
        except (OSError, TimeoutError):
            self.reset()
            return
        self._server = self._out.to = server
        self._out.pump()

    def data_received(self, data: bytes) -> None:
        """The client says something."""
        self._out.put(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; the target hears of it behind what was said before."""
        self._out.put(None)

    def ended(self, pipe: Pipe) -> None:
        """The client's last word has been passed on."""
        if pipe is self._out:
            self._toxic.links.discard(self)

    @property
    def holds_back(self) -> bool:
        """True while something that the client has sent is held back."""
        return self._out.has_data

    def answered(self, data: bytes) -> None:
        """The target says something."""
        if self._toxic.mode == "reset" and self._toxic.rng.random() < 0.1:
            self.reset()
        else:
            self._back.put(data)

    def hung_up(self) -> None:
        """The target is gone."""
        self._back.put(None)

    def changed(self) -> None:
        """The mode has changed."""
        self._out.pump()
        self._back.pump()

    def reset(self) -> None:
        """RST to both ends."""
        if self._connecting is not None:
            self._connecting.cancel()
        for transport in (self._client, self._server):
            if transport is None or transport.is_closing():
                continue
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        self._toxic.links.discard(self)


class _Upstream(asyncio.Protocol):
    def __init__(self, link: Link) -> None:
        self._link = link

    def data_received(self, data: bytes) -> None:
        self._link.answered(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.hung_up()
