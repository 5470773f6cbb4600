"""A migrated database in which no service runs: the tests' own relays are the only ones."""

import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import asyncpg
import psycopg
import pytest

from hack.dev.catalog import Servers
from hack.dev.stack import Stack
from tests.integration.common.outbox import Outbox
from tests.support.internal_calls import Pool


@pytest.fixture(scope="package")
def quiet(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The system's schemas and roles, with no service started."""
    name = f"test_{secrets.token_hex(4)}"
    stack = Stack(tmp_path_factory.mktemp("quiet") / "identity", replace(servers, database=name))
    stack.prepare()
    yield stack
    with psycopg.connect(stack.admin_dsn("postgres"), autocommit=True) as connection:
        connection.execute(
            psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(psycopg.sql.Identifier(name))
        )


@pytest.fixture(scope="package")
async def admin(quiet: Stack) -> AsyncIterator[Pool]:
    """Connections of the superuser: writers and oracle."""
    async with asyncpg.create_pool(quiet.admin_dsn(), min_size=1, max_size=12) as pool:
        yield pool


@pytest.fixture
async def outbox(quiet: Stack, admin: Pool, request: pytest.FixtureRequest) -> AsyncIterator[Outbox]:
    """An empty outbox: confirm-service's, which alone has two topics, or that of the schema asked for."""
    schema: Any = getattr(request, "param", "payments")
    await admin.execute(f"TRUNCATE {schema}.outbox")
    yield Outbox(quiet, admin, schema)
