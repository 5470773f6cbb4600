"""May this request pass: the client's rate limits and the session's revocation, in one Redis call."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import NamedTuple

from payments.common.errors import Problem
from payments.gateway.domain import Session
from payments.gateway.revocations import Revocations

PASSWORD_PATH = "/auth/password"  # noqa: S105
LOGIN_PATHS = frozenset({"/auth/login", "/auth/refresh"})
_LOCAL_REQUESTS = 10
_LOCAL_SECONDS = 60
_LOCAL_SIZE = 10_000


class Window(NamedTuple):
    """What the RateLimit headers say; seconds."""

    limit: int
    remaining: int
    reset: int


class Verdict(NamedTuple):
    """`window` is None when Redis was away and nothing was counted; `retry_after` is 0 when allowed."""

    revoked: bool
    window: Window | None = None
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests in `window_seconds`: of an address or a person in all, and on the routes people guess at."""

    requests: int
    logins: int
    passwords: int
    window_seconds: int


class Guard:
    """Counts by address, by person, and by route: logins of an address, one-time passwords of a person."""

    def __init__(self, revocations: Revocations, *, prefix: str, limits: Limits) -> None:
        self._revocations = revocations
        self._prefix = f"{prefix}:rate:"
        self._limits = limits
        self._local_logins = LocalLimit()
        self._local_passwords = LocalLimit()

    async def check(self, path: str, address: str, session: Session | None) -> Verdict:
        """Count the request and look the session up.

        Raises:
            Problem: service_unavailable, when neither Redis nor PostgreSQL can tell about the session;
                rate_limited, when Redis is away and too many logins or one-time passwords are asked for.
        """
        marks = session.marks if session is not None else ()
        windows = self._windows(path, address, session)
        reply = await self._revocations.guard(windows, marks, self._limits.window_seconds * 1000)
        if reply is None:
            self._count_here(path, address, session)
            return Verdict(session is not None and await self._revocations.is_revoked(marks))
        allowed, remaining, ends, wait, revoked, limit = reply
        retry_after = 0 if allowed else max(1, math.ceil(wait / 1000))
        window = Window(limit, remaining, retry_after or max(1, math.ceil(ends / 1000)))
        return Verdict(bool(revoked), window, retry_after)

    def _windows(self, path: str, address: str, session: Session | None) -> list[tuple[str, int]]:
        windows = [(self._prefix + address, self._limits.requests)]
        if path in LOGIN_PATHS:
            windows.append((f"{self._prefix}login:{address}", self._limits.logins))
        if session is not None:
            user = session.person.user_id
            windows.append((f"{self._prefix}user:{user}", self._limits.requests))
            if is_password_path(path):
                windows.append((f"{self._prefix}otp:{user}", self._limits.passwords))
        return windows

    def _count_here(self, path: str, address: str, session: Session | None) -> None:
        if path in LOGIN_PATHS:
            self._local_logins.count(address)
        elif session is not None and is_password_path(path):
            self._local_passwords.count(session.person.user_id)


def is_password_path(path: str) -> bool:
    """True where one-time passwords are sent, or a password is changed."""
    return path.endswith("/otp") or path == PASSWORD_PATH


class LocalLimit:
    """A cap for each address or person in this process alone, for when Redis is away."""

    def __init__(self, *, limit: int = _LOCAL_REQUESTS, seconds: int = _LOCAL_SECONDS) -> None:
        self._limit = limit
        self._seconds = seconds
        self._counts: dict[str, int] = {}
        self._ends = 0.0

    def count(self, who: str) -> None:
        """Count one. Raises Problem(rate_limited)."""
        now = time.monotonic()
        if now >= self._ends:
            self._counts.clear()
            self._ends = now + self._seconds
        used = self._counts.get(who, 0)
        if used >= self._limit or len(self._counts) >= _LOCAL_SIZE:
            raise Problem("rate_limited", retry_after=max(1, math.ceil(self._ends - now)))
        self._counts[who] = used + 1
