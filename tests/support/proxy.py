"""A TCP proxy that a test can cut, to take a dependency away from a running service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Proxy:
    """Forwards to `target`; while cut, connections are closed at once and new ones refused."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._frozen = asyncio.Event()
        self._frozen.set()
        self.port = 0
        self.sent = b""
        self.recording = False

    async def open(self) -> None:
        """Listen; on the same port as before after a cut."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Close all connections and listen no more."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        self._server = None

    def freeze(self) -> None:
        """Keep connections open and pass nothing on: the peer that never answers."""
        self._frozen.clear()

    def thaw(self) -> None:
        """Pass on again, with what was held back."""
        self._frozen.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, upstream_writer}
        try:
            await asyncio.gather(
                self._pump(reader, upstream_writer, outwards=True),
                self._pump(upstream_reader, writer, outwards=False),
            )
        finally:
            self._writers -= {writer, upstream_writer}

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, outwards: bool
    ) -> None:
        try:
            while data := await reader.read(65_536):
                await self._frozen.wait()
                if outwards and self.recording:
                    self.sent += data
                writer.write(data)
                await writer.drain()
        except OSError:
            return
        finally:
            writer.close()


@asynccontextmanager
async def proxy(target: tuple[str, int]) -> AsyncIterator[Proxy]:
    """A proxy on a free port of the loopback."""
    made = Proxy(target)
    await made.open()
    try:
        yield made
    finally:
        made.thaw()
        await made.cut()
