"""The public API as a stubborn client uses it: the same key again until the answer is final."""

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

# The only answers with 5xx that are documented: the API's, and the load balancer's own without a gateway.
DOCUMENTED_5XX = {502, 503, 504}
_AGAIN = {"idempotency_key_in_flight", "rate_limited", "otp_send_limit"}


@dataclass(frozen=True)
class Answer:
    """Status 0 means that there was none."""

    status: int
    raw: bytes = b""

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object, {} when it is none."""
        try:
            decoded = json.loads(self.raw)
        except ValueError:
            return {}
        return decoded if isinstance(decoded, dict) else {}

    @property
    def final(self) -> bool:
        """True when the same request would not be answered otherwise after a while."""
        if self.status in (0, 202, 502, 503, 504):
            return False
        if self.status == 409 and self.body.get("code") == "illegal_state":
            return bool(self.body.get("payment", {}).get("status") != "processing")
        return self.body.get("code") not in _AGAIN


@dataclass
class Told:
    """Every answer of a run: how many of each, and those that no documentation allows."""

    statuses: Counter[int] = field(default_factory=Counter)
    undocumented: list[str] = field(default_factory=list)

    def note(self, method: str, path: str, answer: Answer) -> None:
        """Count an answer."""
        self.statuses[answer.status] += 1
        if answer.status >= 500 and answer.status not in DOCUMENTED_5XX:
            self.undocumented.append(f"{method} {path}: {answer.status} {answer.raw[:300]!r}")
        if answer.status == 503 and answer.body.get("code") != "service_unavailable":
            self.undocumented.append(f"{method} {path}: a 503 that is no problem: {answer.raw[:300]!r}")


class Api:
    """One customer's (or nobody's) view of the gateway at `url`."""

    def __init__(self, http: aiohttp.ClientSession, url: str, told: Told, rng: random.Random) -> None:
        self._http = http
        self._url = url
        self._told = told
        self._rng = rng
        self.token = ""

    async def login(self, username: str, password: str) -> None:
        """Log in; tries again while the platform is not there."""
        answer = await self.until_final(
            "/auth/login", {"username": username, "password": password}, seconds=60
        )
        assert answer.status == 200, answer
        self.token = answer.body["access_token"]

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        """One POST; the answer's status is 0 when the connection gave none."""
        return await self._send("POST", path, {} if body is None else body, key or self.key())

    async def get(self, path: str) -> Answer:
        """One GET."""
        return await self._send("GET", path, None, None)

    def key(self) -> str:
        """A new Idempotency-Key."""
        return f"{self._rng.getrandbits(128):032x}"

    async def until_final(
        self, path: str, body: Any = None, *, key: str | None = None, seconds: float = 120
    ) -> Answer:
        """POST under one key until the answer is final. The last answer after `seconds`."""
        key = key or self.key()
        end = time.monotonic() + seconds
        pause = 0.1
        while True:
            answer = await self.post(path, body, key=key)
            if answer.final or time.monotonic() > end:
                return answer
            await asyncio.sleep(pause * self._rng.uniform(0.5, 1.5))
            pause = min(2.0, pause * 1.6)

    async def _send(self, method: str, path: str, body: Any, key: str | None) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            async with self._http.request(
                method, self._url + path, json=body, headers=headers, timeout=aiohttp.ClientTimeout(40)
            ) as response:
                answer = Answer(response.status, await response.read())
        except (aiohttp.ClientError, OSError, TimeoutError):
            answer = Answer(0)
        self._told.note(method, path, answer)
        return answer
