"""The log of a real PostgreSQL archived, and the books between two transfers, by the chart's scripts."""

import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.conftest import PORT_OFFSET
from tests.integration.verification.test_backup import (
    BALANCES,
    CHAIN,
    GRANTS,
    TOTALS,
    empty_database,
)
from tests.integration.verification.world import World
from tests.support import archiving
from tests.support.archiving import DATABASE, USER, Server
from tests.support.backups import Programs

pytestmark = pytest.mark.timeout(300)
PORT = 13733 + PORT_OFFSET
ARCHIVED = "SELECT archived_count FROM pg_stat_archiver"


@pytest.fixture(scope="module")
def programs(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Backups and the log in a folder, of a server that has the world's books."""
    folder: Path = tmp_path_factory.mktemp("moment")
    store = {"BACKUP_FOLDER": str(folder / "store")}
    with archiving.server(folder / "server", f"payments-test-moment-{PORT}", PORT):
        made = Programs(folder, ("127.0.0.1", PORT), store)
        origin = Programs(_made(folder / "origin"), world.stack.servers.postgres, store)
        origin.back_up(world.stack.servers.database)
        assert made.ours("fetch").code == 0
        assert made.tool("restore.sh", DATABASE).code == 0
        yield made


@pytest.fixture(scope="module")
def server(programs: Programs) -> Server:
    """The server."""
    return Server(f"payments-test-moment-{PORT}", programs.server[1])


def books(connection: "psycopg.Connection[Any]") -> list[Any]:
    """What an auditor would compare."""
    return [connection.execute(query.encode()).fetchall() for query in (TOTALS, BALANCES, CHAIN, GRANTS)]


def transfer(connection: "psycopg.Connection[Any]") -> tuple[str, datetime]:
    """Money that moves into a new account; the account, and a moment after which nothing has happened yet."""
    account = f"M{secrets.token_hex(6).upper()}"
    connection.execute("SELECT accounts.open_account(%s, %s, 'USD', 12345)", [account, f"cust-{account}"])
    time.sleep(0.02)
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    time.sleep(0.02)
    return account, row[0]


def archived(programs: Programs) -> datetime:
    """Bring the log to the store; the moment up to which it is there."""
    done = programs.ours("archive", DATABASE)
    assert done.code == 0, done.output
    return datetime.fromisoformat(done.said["takenAt"])


def test_the_books_of_a_moment_between_two_transfers(
    world: World, programs: Programs, server: Server
) -> None:
    with server.connect() as origin:
        early = origin.execute("SELECT clock_timestamp()").fetchone()
        archived(programs)
        name = programs.back_up(DATABASE, BACKUP_POINT_IN_TIME="true")
        first, moment = transfer(origin)
        then = books(origin)
        second, later = transfer(origin)
        assert books(origin) != then
        assert archived(programs) > later
        # Committed, and in no store yet.
        _, unknown = transfer(origin)

    assert early is not None
    too_early = programs.ours("fetch", BACKUP_TARGET_TIME=early[0].isoformat())
    assert too_early.code == 1 and "the first moment is" in too_early.said["error"]
    to_come = programs.ours("fetch", BACKUP_TARGET_TIME=(unknown + timedelta(days=1)).isoformat())
    assert to_come.code == 1 and "is still to come" in to_come.said["error"]

    elsewhere = replace(programs, server=world.stack.servers.postgres)
    with empty_database(world) as database:
        assert recovered(elsewhere, database, unknown) == 4, "a log that ends before it restores nothing"
        with world.connect(database) as connection:
            assert connection.execute("SELECT to_regclass('restore.origin')").fetchone() == (None,)

        began = time.monotonic()
        assert recovered(elsewhere, database, moment) == 0
        print(  # noqa: T201
            f"recovered and restored in {time.monotonic() - began:.1f} s"
        )
        with world.connect(database) as connection:
            assert books(connection) == then
            found = {row[0] for row in connection.execute("SELECT account_number FROM accounts.accounts")}
        assert first in found and second not in found
        checked = elsewhere.ours("check", database)
        assert checked.code == 0, checked.output
        assert checked.said["name"] == f"{name}-to-{moment:%Y%m%dt%H%M%Sz}"
        assert datetime.fromisoformat(checked.said["takenAt"]) == moment
        again = elsewhere.tool("restore.sh", database, user=USER)
        assert again.code == 0 and "already restored" in again.output


def test_a_server_keeps_its_log_until_it_is_stored_and_stops_meanwhile(
    programs: Programs, server: Server
) -> None:
    with server.connect() as connection:
        transfer(connection)
        connection.execute("SELECT pg_switch_wal()")
        before = connection.execute(ARCHIVED).fetchone()
    assert server.stop() < 20, "it waits for no archive"
    server.start()
    with server.connect() as connection:
        waits = connection.execute("SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name ~ 'ready$'")
        assert waits.fetchone() != (0,)
        archived(programs)
        after = connection.execute(ARCHIVED).fetchone()
    assert before is not None and after is not None and after > before


def test_the_log_before_the_oldest_copy_goes_with_it(programs: Programs) -> None:
    log = programs.folder / "store" / "wal"
    archived(programs)
    before = sorted(path.name for path in log.glob("*/*.gz"))
    name = programs.back_up(DATABASE, BACKUP_POINT_IN_TIME="true", BACKUP_KEEP_COUNT="1")
    archived(programs)
    after = sorted(path.name for path in log.glob("*/*.gz"))
    assert before[0] < after[0] and after[-1] > before[-1]
    kept = [path.parent.name for path in (programs.folder / "store").glob("*/manifest.json")]
    copies = [path.parent.name for path in (programs.folder / "store").glob("*/base.tar.gz")]
    assert kept == copies == [name]
    moment = (datetime.fromisoformat(f"{name[:8]}T{name[9:15]}+00:00")).isoformat()
    gone = programs.ours("fetch", BACKUP_TARGET_TIME=moment)
    assert gone.code == 1 and "the first moment is" in gone.said["error"]


def recovered(programs: Programs, database: str, moment: datetime) -> int:
    """Exit code of the restore; what leads to the moment is fetched before."""
    fetched = programs.ours("fetch", BACKUP_TARGET_TIME=moment.isoformat())
    assert fetched.code == 0, fetched.output
    # In the cluster all of a pod's containers are of one user.
    for folder, _, files in os.walk(programs.folder / "work"):
        for path in (Path(folder), *(Path(folder) / file for file in files)):
            os.chown(path, USER, USER)
    done = programs.tool("restore.sh", database, user=USER)
    if done.code:
        assert done.code == 4 and "the archived log ends at" in done.output, done.output
    return done.code


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
