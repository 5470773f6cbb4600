"""Passwords: argon2id, bounded, no shortcut for unknown users."""

import asyncio

import pytest
from argon2 import PasswordHasher

from payments.common.errors import Problem
from payments.gateway.passwords import Passwords, hash_password, outdated


async def test_only_the_right_password_of_a_known_user_is_good() -> None:
    stored = hash_password("password123")
    assert stored.startswith("$argon2id$")
    assert hash_password("password123") != stored
    async with Passwords(concurrency=1) as passwords:
        assert await passwords.check(stored, "password123")
        assert not await passwords.check(stored, "Password123")
        assert not await passwords.check(None, "password123")
        assert not await passwords.check("not a hash", "password123")


async def test_a_crowd_is_turned_away() -> None:
    stored = hash_password("p")
    async with Passwords(concurrency=1) as passwords:
        checks = [passwords.check(stored, "p") for _ in range(40)]
        outcomes = await asyncio.gather(*checks, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
        assert (outcomes.count(True), len(refused)) == (33, 7)
        assert {(problem.status, problem.retry_after) for problem in refused} == {(503, 2)}
        assert await passwords.check(stored, "p")


@pytest.mark.parametrize(("passes", "old"), [(1, True), (2, False)])
def test_weaker_hashes_are_outdated(passes: int, old: bool) -> None:
    hasher = PasswordHasher(time_cost=passes, memory_cost=19_456, parallelism=1)
    assert outdated(hasher.hash("p")) is old
