"""Lines of a watch, of which none is taken for whole that is not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
from kopf._cogs.clients import api

CHUNK = 1024 * 1024


async def whole_lines(content: aiohttp.StreamReader, chunk_size: int = CHUNK) -> AsyncIterator[bytes]:
    """The lines of an answer.

    Raises aiohttp.ClientPayloadError when it ends in the middle of one, as when an API server is killed.
    """
    rest = b""
    async for data in content.iter_chunked(chunk_size):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if line:
                yield line
    if rest:
        raise aiohttp.ClientPayloadError("the answer ended in the middle of a line")


def install() -> None:
    """Let Kopf read watches so.

    Its own reader (1.45) takes a line that was cut for JSON, and the error ends the process; a watch whose
    payload ended too early is simply begun again.
    """
    api.iter_jsonlines = whole_lines
