"""Passwords as argon2id hashes (RFC 9106), checked off the event loop and a few at a time."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from payments.common.errors import Problem

# 19 MiB, two passes, one lane: the least that OWASP's Password Storage Cheat Sheet recommends.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_QUEUE_FOR_EACH_SLOT = 32

T = TypeVar("T")


def hash_password(password: str) -> str:
    """The argon2id hash in PHC string form; about 25 ms of a core."""
    return _HASHER.hash(password)


class Passwords:
    """Checks passwords with bounded memory and a bounded queue.

    Args:
        concurrency: checks at a time.
    """

    def __init__(self, *, concurrency: int) -> None:
        self._executor = ThreadPoolExecutor(concurrency, thread_name_prefix="argon2")
        self._room = concurrency * (1 + _QUEUE_FOR_EACH_SLOT)
        # What an unknown user's password is compared with, so that it takes as long as for a known one.
        self._nobody = hash_password(secrets.token_urlsafe(16))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def check(self, stored: str | None, password: str) -> bool:
        """True when `password` belongs to the hash `stored`; None takes as long and is always False.

        Raises:
            Problem: service_unavailable, when too many logins wait already.
        """
        good = await self._run(is_password, stored or self._nobody, password)
        return good and stored is not None

    async def hash(self, password: str) -> str:
        """`hash_password` off the event loop. Raises Problem(service_unavailable)."""
        return await self._run(hash_password, password)

    async def _run(self, function: Callable[..., T], *args: str) -> T:
        if self._room <= 0:
            raise Problem("service_unavailable", "Too many logins at the moment; try again", retry_after=2)
        self._room -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, function, *args)
        finally:
            self._room += 1


def outdated(stored: str) -> bool:
    """True when the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def is_password(stored: str, password: str) -> bool:
    """True when `password` belongs to the hash `stored`; about 25 ms of a core."""
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
