"""Requests are counted by their route's template, calls by their peer; nobody outside makes new series."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY as OTHERS
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from payments.common.metrics import REGISTRY
from payments.common.red import SERVER, Calls, Measured, error_type


async def answer(_: Request) -> Response:
    return Response("ok", 201)


async def fail(_: Request) -> Response:
    raise ZeroDivisionError


class Refusing:
    """Stands for whatever refuses before the route: limits, tokens."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (b"x-refuse", b"1") in scope["headers"]:
            await Response("no", 429)(scope, receive, send)
            return
        await self._app(scope, receive, send)


@asynccontextmanager
async def client() -> AsyncIterator[httpx.AsyncClient]:
    routes = [Route("/red/{number}", answer, methods=["POST"]), Route("/red-fail", fail, methods=["GET"])]
    app = Starlette(routes=routes, middleware=[Middleware(Measured, routes=routes), Middleware(Refusing)])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as opened:
        yield opened


def count(route: str, status: int, method: str = "POST") -> float:
    labels = {"http_request_method": method, "http_route": route, "http_response_status_code": str(status)}
    return REGISTRY.get_sample_value("http_server_request_duration_seconds_count", labels) or 0.0


def series() -> int:
    return sum(len(metric.samples) for metric in SERVER.collect())


@pytest.mark.parametrize(
    ("method", "path", "headers", "route", "status", "told"),
    [
        ("POST", "/red/1", {}, "/red/{number}", 201, "POST"),
        ("GET", "/red/1", {}, "/red/{number}", 405, "GET"),
        ("POST", "/red/1", {"x-refuse": "1"}, "/red/{number}", 429, "POST"),
        ("GET", "/nowhere", {"x-refuse": "1"}, "-", 429, "GET"),
        ("GET", "/nowhere", {}, "-", 404, "GET"),
        ("GET", "/red-fail", {}, "/red-fail", 500, "GET"),
        ("BREW", "/red/1", {}, "/red/{number}", 405, "_OTHER"),
    ],
)
async def test_each_request_is_counted_once(
    method: str, path: str, headers: dict[str, str], route: str, status: int, told: str
) -> None:
    before = count(route, status, told)
    async with client() as opened:
        reply = await opened.request(method, path, headers=headers)
    assert reply.status_code == status
    assert count(route, status, told) == before + 1


async def test_paths_and_methods_of_strangers_make_no_series() -> None:
    async with client() as opened:
        await opened.post("/red/first")
        await opened.get("/first")
        await opened.request("FIRST", "/first")
        before = series()
        for _ in range(50):
            word = f"{random.getrandbits(64):x}"
            await opened.post(f"/red/{word}")
            await opened.get(f"/{word}")
            await opened.request(f"X{word[:8].upper()}", f"/{word}")
    assert series() == before


async def test_whoever_is_being_answered_is_counted() -> None:
    seen: list[float | None] = []

    async def look(_: Request) -> Response:
        seen.append(REGISTRY.get_sample_value("http_server_active_requests"))
        return Response("ok")

    routes = [Route("/look", look)]
    app = Starlette(routes=routes, middleware=[Middleware(Measured, routes=routes)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://s") as opened:
        await opened.get("/look")
    assert seen == [1.0]
    assert REGISTRY.get_sample_value("http_server_active_requests") == 0.0


def test_calls_tell_the_answer_or_why_there_was_none() -> None:
    calls = Calls("red-peer")
    calls.answered("POST", 200, 0.02)
    calls.failed("POST", TimeoutError(), 1.0)
    for status, why in (("200", ""), ("", "timeout")):
        labels: dict[str, Any] = {"server_address": "red-peer", "http_request_method": "POST"}
        labels |= {"http_response_status_code": status, "error_type": why}
        assert REGISTRY.get_sample_value("http_client_request_duration_seconds_count", labels) == 1.0
    assert [error_type(e) for e in (TimeoutError(), ConnectionResetError(), ValueError(), None)] == [
        "timeout",
        "connection",
        "other",
        "other",
    ]


def test_nothing_goes_to_the_library_s_own_registry() -> None:
    names = {metric.name for metric in OTHERS.collect()}
    assert not any(name.startswith(("payments", "http_", "db_")) for name in names)
