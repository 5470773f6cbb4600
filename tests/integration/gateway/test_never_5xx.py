"""Random requests: whatever comes, the answer is a problem with a 4xx, or what the peer said."""

import asyncio
import json
import random
import string
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.integration.gateway.conftest import Gateway, login
from tests.support.bad_requests import confirmation, payment
from tests.support.echo_peer import EchoPeer
from tests.support.raw_http import Answer, send

REQUESTS = 1500
# Without /auth/logout, which would end the session of the run.
PATHS = [
    "/auth/login",
    "/auth/refresh",
    "/payment/confirm",
    "/v1/payments",
    "/v1/payments/p1",
    "/v1/payments/p1/events",
    "/v1/payments/p1/confirm",
    "/v1/payments/p1/cancel",
    "/v1/payments/p1/otp",
    "/v1/payments/p1/refunds",
    "/v1/refunds/r1",
    "/v1/accounts",
    "/v1/accounts/ACC001/entries",
    "/v1/reviews",
    "/v1/reviews/p1/approve",
    "/v1/audit/events",
    "/v1/webhook_endpoints",
    "/v1/webhook_endpoints/w1",
    "/v1/webhook_endpoints/w1/deliveries",
    "/v1/events/e1/replay",
    "/docs",
    "/openapi.json",
    "/.well-known/jwks.json",
]
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
HEADERS = [
    "Accept",
    "Accept-Encoding",
    "Content-Encoding",
    "Content-Type",
    "Cookie",
    "Host",
    "Idempotency-Key",
    "If-None-Match",
    "Origin",
    "Range",
    "Traceparent",
    "X-Actor-Token",
    "X-Deadline",
    "X-Encrypted",
    "X-Forwarded-For",
    "X-Load-Balancer-Token",
    "X-Request-Id",
]
TYPES = ["application/json", "application/json;charset=utf-8", "application/jose", "text/plain", ";;", ""]
ODD = [
    "\x00",
    "\ud7ff",
    "\x7f",
    "é",
    "𝕏",
    "'",
    '"',
    "\\",
    "%00",
    "../",
    "{{7*7}}",
    "\u202e",
    "\n",
    "-1",
    "1e999",
]


class Requests:
    """Makes random requests that look partly right."""

    def __init__(self, seed: int, token: str) -> None:
        self._random = random.Random(seed)
        self._token = token

    def __call__(self) -> tuple[str, str, dict[str, str], bytes | None]:
        """Method, path, headers and body of the next one."""
        pick = self._random
        method = pick.choices(METHODS, weights=[5, 8, 1, 1, 1, 1, 1])[0]
        headers = {name: self._header_value() for name in pick.sample(HEADERS, pick.randint(0, 4))}
        if pick.random() < 0.8:
            headers["Authorization"] = f"Bearer {self._token}"
        if pick.random() < 0.8:
            headers["Content-Type"] = pick.choice(TYPES[:2])
        if pick.random() < 0.7:
            headers["Idempotency-Key"] = "k"
        if method == "POST" and pick.random() < 0.1:
            headers["X-Encrypted"] = "true"
        body = self._body() if method != "GET" and pick.random() < 0.9 else None
        return method, self._path(), headers, body

    def _path(self) -> str:
        pick = self._random
        path = pick.choice(PATHS)
        if pick.random() < 0.2:
            spot = pick.randrange(1, len(path))
            path = path[:spot] + pick.choice(["%", "%ff", "//", "..", "%2e", "~", "%00", "!"]) + path[spot:]
        if pick.random() < 0.3:
            names = ["limit", "status", "starting_after", "created_gte", "payment_id", "x"]
            path += "?" + "&".join(
                f"{pick.choice(names)}={self._query_value()}" for _ in range(pick.randint(1, 3))
            )
        return path

    def _query_value(self) -> str:
        return "".join(self._random.choices("%0123456789abcdefT:-.+;&=", k=self._random.randint(0, 12)))

    def _header_value(self) -> str:
        pick = self._random
        if pick.random() < 0.3:
            return pick.choice(TYPES + ["true", "0", "-1", "a" * 3000, "gzip", "null", "203.0.113.9"])
        text = string.ascii_letters + string.digits + " ,;=\"'%\xe9\xff"
        return "".join(pick.choices(text, k=pick.randint(0, 40))).strip()

    def _body(self) -> bytes:
        pick = self._random
        good: Mapping[str, Any] = pick.choice(
            [
                payment(),
                confirmation(),
                {"username": "demo", "password": "x"},
                {"otp": "123456"},
                {"amount": 5},
                {},
            ]
        )
        document = dict(good)
        for _ in range(pick.randint(0, 2)):
            name = pick.choice([*document, "metadata", "otp", "extra", pick.choice(ODD)])
            document[name] = self._value(0)
        raw = json.dumps(document, ensure_ascii=pick.random() < 0.5).encode("utf-8", "surrogatepass")
        if pick.random() < 0.2:
            spot = pick.randrange(len(raw))
            raw = raw[:spot] + pick.randbytes(pick.randint(0, 3)) + raw[spot + pick.randint(0, 3) :]
        return raw

    def _value(self, depth: int) -> Any:
        pick = self._random
        kinds: list[Callable[[], Any]] = [
            lambda: pick.choice([None, True, False, 0, -1, 10**12, 10**40, 1.5, float("nan"), 1e308]),
            lambda: pick.choice(ODD) * pick.choice([1, 3, 700]),
            lambda: "".join(pick.choices(string.printable, k=pick.randint(0, 30))),
        ]
        if depth < 3:
            kinds.append(lambda: [self._value(depth + 1) for _ in range(pick.randint(0, 3))])
            kinds.append(
                lambda: {pick.choice(ODD): self._value(depth + 1) for _ in range(pick.randint(0, 3))}
            )
        return pick.choice(kinds)()


@pytest.mark.parametrize("seed", [20260131, 7])
async def test_never_5xx(gateway: Gateway, peer: EchoPeer, seed: int) -> None:
    async with gateway.http() as http:
        token = (await login(http))["access_token"]
    requests = Requests(seed, token)
    batch = [requests() for _ in range(REQUESTS)]
    tasks = asyncio.Semaphore(8)

    async def answer(request: tuple[str, str, dict[str, str], bytes | None]) -> Answer:
        method, path, headers, body = request
        async with tasks:
            return await asyncio.to_thread(send, gateway.url, method, path, headers=headers, body=body)

    answers = await asyncio.gather(*(answer(request) for request in batch))
    for request, found in zip(batch, answers, strict=True):
        assert found.status < 500, (request, found)
        if found.status >= 400 and request[0] != "HEAD" and found.body != b"Invalid HTTP request received.":
            assert found.headers["content-type"] == "application/problem+json", (request, found)
            assert found.json()["status"] == found.status
    statuses = {found.status for found in answers}
    assert {200, 400, 401, 404, 405, 415, 422} <= statuses, sorted(statuses)
    assert len(peer.seen) > 50
    for seen in peer.seen:
        if seen.body:
            json.loads(seen.body)
