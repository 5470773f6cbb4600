"""The whole system behind the gateway, and people who use it."""

import os
import random
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from hack.dev.stack import Stack
from tests.integration.api.inside import Services
from tests.integration.api.world import Person, World

SOAK = bool(os.environ.get("SOAK"))


@pytest.fixture(scope="session")
def world(running: Stack) -> Iterator[World]:
    """Everything runs; people can be made."""
    limits = httpx.Limits(max_connections=64)
    with (
        psycopg.connect(running.admin_dsn(), autocommit=True) as database,
        httpx.Client(base_url=running.url("api-gateway"), timeout=30, limits=limits) as http,
    ):
        yield World(running, http, database)


@pytest.fixture(scope="session")
def document(world: World) -> dict[str, Any]:
    """The OpenAPI document of the running gateway."""
    return world.document()


@pytest.fixture(scope="session")
def owner(world: World) -> Person:
    """The customer who owns the objects that requests name."""
    return world.customer()


@pytest.fixture(scope="session")
def other(world: World) -> Person:
    """Another customer."""
    return world.customer()


@pytest.fixture(scope="session")
def services(running: Stack) -> Services:
    """The services behind the gateway."""
    return Services(running)


@pytest.fixture(scope="session")
def seed() -> int:
    """Seed of the run: SEED of the environment, else a fixed one; with SOAK a new one each time."""
    given = os.environ.get("SEED")
    found = int(given) if given else (random.SystemRandom().randrange(2**32) if SOAK else 20260131)
    print(f"seed {found}; repeat with SEED={found}")  # noqa: T201
    return found
