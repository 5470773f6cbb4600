"""Passwords that change while they are in use: no request fails, and the old one is refused in the end."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from hack.dev.stack import Stack
from payments.common.db import Database
from payments.common.settings import DatabaseSettings
from payments.logins import give_login
from tests.integration.rotation.conftest import RedisOfTheChart

ROLE = "rotating"


class Logins:
    """The Secret of a role as the migration sees it, and the migration's step."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.folder = folder
        self.dsn = stack.admin_dsn()

    def migrate(self, password: str, username: str = ROLE, previous: str = "") -> None:
        """The Secret with this content, and the migration."""
        files = {"password": password, "username": username, "previous-username": previous}
        place = self.folder / ROLE
        place.mkdir(exist_ok=True)
        for name, text in files.items():
            (place / name).unlink(missing_ok=True)
            if text:
                (place / name).write_text(text)
        with self.admin() as connection:
            give_login(connection, self.folder, ROLE)

    def admin(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """As the migration connects."""
        return psycopg.connect(self.dsn)

    def database(self, username: str, password: str) -> Database:
        """As a service connects."""
        found = psycopg.conninfo.conninfo_to_dict(self.dsn)
        settings = DatabaseSettings(
            database_host=str(found["host"]),
            database_port=int(str(found["port"])),
            database_name=str(found["dbname"]),
            database_user=username,
            database_password=SecretStr(password),
        )
        return Database(settings, application="rotating")


@pytest.fixture
def logins(stack: Stack, tmp_path: Path) -> Iterator[Logins]:
    """A role with a table, and its first password."""
    logins = Logins(stack, tmp_path)
    logins.migrate("first")
    with logins.admin() as connection:
        connection.execute("CREATE SCHEMA rotating")
        connection.execute("CREATE TABLE rotating.things (id serial, login text)")
        connection.execute("GRANT USAGE ON SCHEMA rotating TO rotating")
        connection.execute("GRANT SELECT, INSERT ON rotating.things TO rotating")
        connection.execute("GRANT USAGE ON SEQUENCE rotating.things_id_seq TO rotating")
    yield logins
    with logins.admin() as connection:
        connection.execute("DROP SCHEMA rotating CASCADE")
        for name in ("rotating_2", "rotating"):
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


async def refused(logins: Logins, username: str, password: str) -> bool:
    """Whether nobody gets in by this login."""
    try:
        connection = await asyncpg.connect(logins.dsn, user=username, password=password)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        return True
    await connection.close()
    return False


class Pods:
    """Clients that write some ten times a second, on fresh connections; each pod has one login for life."""

    def __init__(self) -> None:
        self.written = 0
        self.failed: list[str] = []

    @asynccontextmanager
    async def pod(self, logins: Logins, username: str, password: str) -> AsyncIterator[None]:
        """A pod that runs as long as the block."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._write(logins, username, password, stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def _write(self, logins: Logins, username: str, password: str, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                async with logins.database(username, password) as database:
                    await database.execute("INSERT INTO things (login) VALUES (session_user)")
                    assert await database.fetchval("SELECT current_user") == ROLE
                self.written += 1
            except Exception as error:  # whatever it is, it is a failed request
                self.failed.append(repr(error))
            await asyncio.sleep(0.05)


async def test_two_logins_change_places_under_load(logins: Logins) -> None:
    pods = Pods()
    async with pods.pod(logins, "rotating", "first"):
        await asyncio.sleep(0.5)
        logins.migrate("second", "rotating_2", previous="rotating")
        async with pods.pod(logins, "rotating_2", "second"):
            await asyncio.sleep(1)
            logins.migrate("second", "rotating_2", previous="rotating")
            await asyncio.sleep(0.5)
    # The pods from before are gone; one session of theirs is left over.
    leftover = psycopg.connect(logins.dsn, user="rotating", password="first")
    async with pods.pod(logins, "rotating_2", "second"):
        logins.migrate("second", "rotating_2")
        await asyncio.sleep(0.5)
        assert await refused(logins, "rotating", "first")
    with pytest.raises(psycopg.OperationalError):
        leftover.execute("SELECT 1")
    logins.migrate("third", "rotating", previous="rotating_2")
    async with pods.pod(logins, "rotating_2", "second"), pods.pod(logins, "rotating", "third"):
        await asyncio.sleep(0.5)
    logins.migrate("third", "rotating")
    assert await refused(logins, "rotating_2", "second") and await refused(logins, "rotating", "first")
    assert not await refused(logins, "rotating", "third")
    print(f"{pods.written} writes, {len(pods.failed)} failed")  # noqa: T201
    assert pods.failed == [] and pods.written > 20
    with logins.admin() as connection:
        rows = connection.execute("SELECT login, count(*) > 5 FROM rotating.things GROUP BY login").fetchall()
    assert sorted(rows) == [("rotating", True), ("rotating_2", True)]


def test_a_login_of_the_users_own_name_leads_to_the_role(logins: Logins) -> None:
    logins.migrate("mine", username="rotating@pooler")
    with logins.admin() as connection:
        rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'rotating%'").fetchall()
    assert rows == [("rotating",)]


def test_redis_takes_each_password_of_its_secret_and_no_other(redis_server: RedisOfTheChart) -> None:
    first, second, third = (secrets.token_hex(8) for _ in range(3))
    redis_server.secret(password=first)
    redis_server.until({first}, {second})
    redis_server.secret(password=first, next_password=second)
    redis_server.until({first, second}, {third})
    redis_server.secret(password=second, previous_password=first)
    redis_server.restart()
    redis_server.until({first, second}, {third})
    redis_server.secret(password=second)
    redis_server.until({second}, {first, third})
    redis_server.secret(password=third)
    redis_server.until({third}, {first, second})
    redis_server.secret(password="not allowed")
    redis_server.secret(password=third, next_password="two words")
    redis_server.until({third}, {first, second, "two words"})
    said = redis_server.log()
    assert "the passwords are those of the Secret again" in said
    assert not [word for word in (first, second, third) if word in said]
