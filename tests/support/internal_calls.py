"""Calls between the services, made by a test in the name of one of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg
import httpx

from hack.dev.identity import Identity
from hack.dev.stack import Stack

# The oracle's database connections; generic for the type checker only.
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


@dataclass(frozen=True)
class Calls:
    """One service, called as `caller` unless a call says otherwise."""

    stack: Stack
    identity: Identity
    http: httpx.AsyncClient
    service: str
    caller: str

    async def post(
        self,
        path: str,
        body: Any,
        *,
        caller: str | None = None,
        actor: str | None = None,
        key: str | None = None,
    ) -> httpx.Response:
        """POST `body` as JSON, on behalf of a person of the role `actor`, with an Idempotency-Key."""
        headers = self._headers(caller, actor) | ({"Idempotency-Key": key} if key else {})
        return await self.http.post(self.url(path), json=body, headers=headers)

    async def delete(
        self, path: str, *, caller: str | None = None, actor: str | None = None, **params: str
    ) -> httpx.Response:
        """DELETE, on behalf of a person of the role `actor` when given."""
        headers = self._headers(caller, actor)
        return await self.http.delete(self.url(path), params=params, headers=headers)

    async def get(
        self, path: str, *, caller: str | None = None, actor: str | None = None, **params: str | int
    ) -> httpx.Response:
        """GET, on behalf of a person of the role `actor` when given."""
        return await self.http.get(self.url(path), params=params, headers=self._headers(caller, actor))

    async def answer(self, path: str, body: Any) -> dict[str, Any]:
        """The JSON answer of a POST that succeeds."""
        response = await self.post(path, body)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def url(self, path: str) -> str:
        """The absolute URL of a path."""
        return self.stack.url(self.service) + path

    def _headers(self, caller: str | None, actor: str | None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.identity.token(caller or self.caller)}"}
        if actor:
            headers["X-Actor-Token"] = self.identity.actor_token("cust_001", role=actor)
        return headers


def ensure(stack: Stack, *services: str) -> None:
    """Start the services that do not run."""
    stack.start([name for name in services if name not in stack.processes.names()])


async def eventually(
    what: str, condition: Callable[[], Awaitable[bool]], *, seconds: float = 15, pause: float = 0.1
) -> None:
    """Wait until `condition` holds. Raises TimeoutError that says `what` did not happen."""
    end = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(pause)
