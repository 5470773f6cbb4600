import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from payments.audit.exports import engine as module
from payments.audit.exports.engine import Engine
from payments.audit.exports.loop import StoreError

Answer = Callable[[httpx.Request], httpx.Response]
SECRET = "a-word-that-stands-nowhere-else"


def engine(answer: Answer, username: str = "") -> Engine:
    return Engine("http://search:9200/under", username, SECRET, transport=httpx.MockTransport(answer))


def says(status: int, body: Any) -> Answer:
    return lambda _: httpx.Response(status, json=body)


async def test_a_bulk_names_index_and_id_and_the_user_is_told() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"errors": False, "items": []})

    async with engine(answer, "writer") as client:
        await client.bulk([("payment-audit-1", "e1", b'{"a":1}'), ("payment-audit-2", "e2", b"{}")])
    (request,) = seen
    assert str(request.url) == "http://search:9200/under/_bulk"
    assert request.headers["Content-Type"] == "application/x-ndjson"
    credentials = base64.b64encode(f"writer:{SECRET}".encode()).decode()
    assert request.headers["Authorization"] == f"Basic {credentials}"
    assert request.content.endswith(b"\n")
    assert [json.loads(line) for line in request.content.splitlines()] == [
        {"index": {"_index": "payment-audit-1", "_id": "e1"}},
        {"a": 1},
        {"index": {"_index": "payment-audit-2", "_id": "e2"}},
        {},
    ]


async def test_without_a_user_there_is_no_authorization() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert "Authorization" not in request.headers
        return httpx.Response(200, json={"count": 3})

    async with engine(answer) as client:
        assert await client.count("payment-audit-*") == 3


async def test_one_refused_document_fails_the_whole_without_its_content() -> None:
    error = {"type": "mapper_parsing_exception", "reason": f"Preview of field's value: '{SECRET}'"}
    items = [
        {"index": {"_id": "e1", "status": 201}},
        {"index": {"_id": "e2", "status": 400, "error": error}},
        {"index": {"_id": "e3", "status": 429, "error": {"type": "rejected"}}},
    ]
    async with engine(says(200, {"errors": True, "items": items})) as client:
        with pytest.raises(StoreError) as raised:
            await client.bulk([("i", f"e{n}", b"{}") for n in (1, 2, 3)])
    assert "2 of 3" in str(raised.value) and "e2: 400 mapper_parsing_exception" in str(raised.value)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (says(401, {"error": {"type": "security_exception", "reason": SECRET}}), "401 security_exception"),
        (says(503, {"error": SECRET}), "503"),
        (says(200, []), "200 no JSON"),
        (lambda _: httpx.Response(502, text=f"<html>{SECRET}"), "502 no JSON"),
    ],
)
async def test_other_answers_are_errors_that_quote_nothing(answer: Answer, told: str) -> None:
    async with engine(answer, "writer") as client:
        with pytest.raises(StoreError) as raised:
            await client.bulk([("i", "e", b"{}")])
    assert told in str(raised.value) and SECRET not in str(raised.value)


async def test_an_engine_that_answers_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(module, "SECONDS", 0.05)
    async with Engine("http://search", "", "", transport=httpx.MockTransport(hang)) as client:
        with pytest.raises(StoreError, match="did not answer: TimeoutError"):
            await client.about()


async def test_what_is_not_there_is_no_error_where_it_may_be_missing() -> None:
    async with engine(says(404, {"error": {"type": "index_not_found_exception"}})) as client:
        assert await client.template("t") is None
        assert await client.indices("payment-audit-*") == {}
        assert await client.count("payment-audit-*") == 0
        assert [hit async for hit in client.scan("payment-audit-*", {})] == []
        await client.delete("i")
        await client.refresh("i")
        with pytest.raises(StoreError, match="404 index_not_found"):
            await client.change_aliases([])


async def test_a_scan_reads_all_pages_and_lets_go() -> None:
    pages = [["a", "b"], ["c"], []]
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path))
        if request.method == "DELETE":
            return httpx.Response(200, json={"succeeded": True})
        hits = [{"_id": name} for name in pages.pop(0)]
        return httpx.Response(200, json={"_scroll_id": "s1", "hits": {"hits": hits}})

    async with engine(answer) as client:
        assert [hit["_id"] async for hit in client.scan("p", {"sort": ["seq"]})] == ["a", "b", "c"]
    scroll = "/under/_search/scroll"
    assert asked == [("POST", "/under/p/_search"), ("POST", scroll), ("POST", scroll), ("DELETE", scroll)]


async def test_half_an_answer_is_none() -> None:
    shards = {"total": 2, "failed": 1}
    body = {"_shards": shards, "count": 1, "hits": {"hits": [{"_id": "a"}]}, "_scroll_id": "s"}
    async with engine(says(200, body)) as client:
        with pytest.raises(StoreError, match="a part"):
            await client.count("p")
        with pytest.raises(StoreError, match="a part"):
            assert [hit async for hit in client.scan("p", {})]
