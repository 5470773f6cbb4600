"""Watches that end in the middle of a line."""

import inspect
from collections.abc import AsyncIterator

import aiohttp
import pytest
from kopf._cogs.clients import api

from payment_operator import watchlines


class Content:
    """An answer in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


async def read(*pieces: bytes) -> list[bytes]:
    return [line async for line in watchlines.whole_lines(Content(*pieces))]  # type: ignore[arg-type]


async def test_lines_are_put_together_from_pieces() -> None:
    assert await read(b'{"a"', b': 1}\n{"b": 2}\n', b"\n") == [b'{"a": 1}', b'{"b": 2}']
    assert await read() == []


async def test_a_line_that_was_cut_is_a_lost_connection() -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await read(b'{"a": 1}\n{"b"')


def test_kopf_reads_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "iter_jsonlines", api.iter_jsonlines)
    watchlines.install()
    assert "iter_jsonlines(response.content)" in inspect.getsource(api.stream)
    assert api.iter_jsonlines is watchlines.whole_lines
