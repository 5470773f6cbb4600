"""Looks, before an upgrade changes anything, whether this version would find what it needs. Changes nothing.

Run by a Job with the new version's image. What it found is one line of JSON in the container's termination
message, for the operator: {"checks": [{"name", "ok", "message"}]}.
"""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import psycopg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from psycopg import sql
from pydantic import Field

from payments.common.redis import Cache, RedisError
from payments.common.settings import DatabaseSettings, KafkaSettings, RedisSettings
from payments.common.sync_database import connect
from payments.contracts.event import TOPICS
from payments.migrate import OWNERS, PACKAGE

#: Seconds in which a dependency may come back, and between two looks.
PATIENCE, PAUSE = 40.0, 2.0
#: Bytes of a termination message that the kubelet keeps.
KEPT = 4096


class Settings(DatabaseSettings, RedisSettings, KafkaSettings):
    """Settings of the preflight Job; the database's are the superuser's."""

    topic_replication: int = Field(default=1, ge=1)


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool
    message: str


def newest(module: str) -> str:
    """The newest revision of an owner that this version knows."""
    return max(path.name[:4] for path in (PACKAGE / module / "migrations").glob("[0-9]*_*.py"))


def schemas(connection: psycopg.Connection) -> Check:
    """The database must not be newer than this version: its migrations would not know what they meet."""
    wrong, present = [], 0
    for module, schema in OWNERS.items():
        table = sql.Identifier(schema, "alembic_version")
        if connection.execute("SELECT to_regclass(%s)", [f"{schema}.alembic_version"]).fetchone() == (None,):
            continue
        row = connection.execute(sql.SQL("SELECT version_num FROM {}").format(table)).fetchone()
        present += 1
        if row is not None and str(row[0]) > newest(module):
            wrong.append(f"{schema} is at {row[0]}, this version knows up to {newest(module)}")
    if wrong:
        return Check("schema", False, f"{'; '.join(wrong)}: choose a version that is not older than the data")
    return Check(
        "schema", True, f"{present} of {len(OWNERS)} schemas are there, none is newer than this version"
    )


def database(settings: Settings) -> list[Check]:
    """PostgreSQL: reached, the credentials accepted and strong enough to migrate; the schemas."""
    try:
        with connect(settings, "default_transaction_read_only=on", "statement_timeout=10s") as connection:
            role = connection.execute(
                "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            strong = role is not None and bool(role[0])
            may = "may migrate" if strong else "needs SUPERUSER or CREATEROLE to migrate"
            found = Check("postgres", strong, f"answers; role {settings.database_user} {may}")
            return [found, schemas(connection)]
    except psycopg.Error as error:
        return [Check("postgres", False, " ".join(str(error).split()))]


async def redis(settings: Settings) -> list[Check]:
    """Redis: reached, the password accepted."""
    async with Cache(settings, timeout=5.0) as cache:
        try:
            await cache.client.ping()
        except RedisError as error:
            return [Check("redis", False, str(error))]
    return [Check("redis", True, "answers")]


async def kafka(settings: Settings) -> list[Check]:
    """Kafka: reached, with brokers enough; which topics are there."""
    admin = AIOKafkaAdminClient(**settings.brokers.options(), client_id="preflight")
    try:
        await admin.start()
        brokers = len((await admin.describe_cluster())["brokers"])
        present = set(await admin.list_topics())
    except (KafkaError, OSError) as error:
        return [Check("kafka", False, repr(error))]
    finally:
        await admin.close()
    enough = brokers >= settings.topic_replication
    need = "" if enough else f", topics need {settings.topic_replication}"
    missing = sorted(set(TOPICS) - present)
    told = f"{len(TOPICS) - len(missing)} of {len(TOPICS)} are there"
    told += f"; made before the services roll: {', '.join(missing)}" if missing else ""
    return [Check("kafka", enough, f"{brokers} brokers answer{need}"), Check("topics", True, told)]


async def look(settings: Settings) -> list[Check]:
    """Everything once."""

    async def of(name: str, check: Callable[[Settings], Awaitable[list[Check]]]) -> list[Check]:
        try:
            return await asyncio.wait_for(check(settings), 15)
        except TimeoutError:
            return [Check(name, False, "no answer within 15 s")]

    checks = [*database(settings), *await of("redis", redis), *await of("kafka", kafka)]
    return checks


def main() -> int:
    """0: this version may come; 1: it must not."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    settings = Settings()  # type: ignore[call-arg]  # filled from the environment
    end = time.monotonic() + PATIENCE
    while True:
        checks = asyncio.run(look(settings))
        if all(check.ok for check in checks) or time.monotonic() > end:
            break
        time.sleep(PAUSE)
    told = json.dumps({"checks": [{**check._asdict(), "message": check.message[:300]} for check in checks]})
    sys.stdout.write(f"{told}\n")
    log = Path(os.environ.get("TERMINATION_LOG", "/dev/termination-log"))
    if log.exists():
        log.write_text(told[:KEPT])
    return 0 if all(check.ok for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
