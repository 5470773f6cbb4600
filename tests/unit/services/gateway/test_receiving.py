"""Bodies that come in pieces, too slowly, or not at all."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.types import Message

from payments.common.errors import Problem
from payments.gateway import body

JSON = (b"content-type", b"application/json")


def request(pieces: Sequence[bytes | None], *headers: tuple[bytes, bytes], stall: bool = False) -> Request:
    messages: list[Message] = [
        {"type": "http.disconnect"}
        if piece is None
        else {"type": "http.request", "body": piece, "more_body": True}
        for piece in pieces
    ]

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        if stall:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": list(headers)}
    return Request(scope, receive)


async def refusal(given: Request) -> tuple[str, int]:
    with pytest.raises(Problem) as refused:
        await body.read(given)
    return refused.value.code, refused.value.status


async def test_pieces_are_put_together() -> None:
    read = await body.read(request([b'{"a"', b": 1}"], JSON))
    assert (read.raw, read.media_type) == (b'{"a": 1}', "application/json")


async def test_no_body_needs_no_type() -> None:
    assert (await body.read(request([]))).media_type == ""


async def test_ten_megabytes_are_the_most() -> None:
    megabyte = b" " * 1024 * 1024
    assert len((await body.read(request([megabyte] * 10, JSON))).raw) == body.MAX_BYTES
    assert await refusal(request([megabyte] * 10 + [b" "], JSON)) == ("payload_too_large", 413)
    for length in (b"10485761", b"9" * 30):
        assert await refusal(request([], JSON, (b"content-length", length))) == ("payload_too_large", 413)


async def test_a_client_that_stalls_or_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "_RECEIVE_SECONDS", 0.05)
    assert await refusal(request([b"{"], JSON, stall=True)) == ("malformed_request", 408)
    assert await refusal(request([b"{", None], JSON)) == ("malformed_request", 400)


@pytest.mark.parametrize(
    ("value", "jose", "taken"),
    [
        ("application/json", False, True),
        ("Application/JSON; charset=UTF-8", False, True),
        ('application/json; charset="utf-8"', False, True),
        ("application/json; charset=utf-16", False, False),
        ("application/jose", True, True),
        ("application/jose", False, False),
        ("application/json, text/plain", False, False),
        ("application/problem+json", False, False),
        ("", False, False),
    ],
)
async def test_media_types(value: str, jose: bool, taken: bool) -> None:
    given = request([b"{}"], (b"content-type", value.encode()))
    if taken:
        assert (await body.read(given, jose=jose)).raw == b"{}"
    else:
        with pytest.raises(Problem, match="unsupported_media_type"):
            await body.read(given, jose=jose)
