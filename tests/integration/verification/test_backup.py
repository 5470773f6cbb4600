"""Backup and restore of real books: what comes back is what was there, and nothing else is taken for it."""

import gzip
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from hack.dev.stack import Stack
from payments.backup.archive import Archive, Differs, systems
from payments.backup.settings import BackupSettings
from payments.backup.stores import open_store
from tests.integration.conftest import PORT_OFFSET
from tests.integration.verification.world import World
from tests.support import s3
from tests.support.backups import Programs

# The first test waits for the platform and its payments.
pytestmark = pytest.mark.timeout(300)
# The oracle's own words, not the manifest's.
TOTALS = """
SELECT currency, count(*), sum(amount_minor), sum(abs(amount_minor)),
       sum(amount_minor * length(account_number))
FROM accounts.entries GROUP BY currency ORDER BY currency"""
BALANCES = "SELECT md5(string_agg(b::text, ',' ORDER BY account_number)) FROM accounts.balances AS b"
CHAIN = "SELECT count(*), md5(string_agg(hash, ',' ORDER BY seq)) FROM audit.events"
GRANTS = """
SELECT grantee, table_schema, table_name, privilege_type FROM information_schema.role_table_grants
WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'restore') ORDER BY 1, 2, 3, 4"""


@contextmanager
def empty_database(world: World) -> Iterator[str]:
    """A database with nothing in it."""
    name = f"{world.stack.servers.database}_{secrets.token_hex(3)}"
    with world.connect("postgres") as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield name
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def books(world: World, database: str) -> list[Any]:
    """What an auditor would compare."""
    with world.connect(database) as connection:
        return [connection.execute(query.encode()).fetchall() for query in (TOTALS, BALANCES, CHAIN, GRANTS)]


def migrate(world: World, database: str, folder: Path) -> None:
    """Bring a restored database to this version, as the Job does."""
    Stack(folder / "identity", replace(world.stack.servers, database=database)).prepare()


@pytest.fixture
def programs(world: World, tmp_path: Path) -> Programs:
    """Backups in a folder."""
    store = tmp_path / "store"
    return Programs(tmp_path, world.stack.servers.postgres, {"BACKUP_FOLDER": str(store)})


def test_what_is_restored_is_what_was_backed_up(world: World, programs: Programs) -> None:
    origin = world.stack.servers.database
    name = programs.back_up(origin)
    fetched = programs.ours("fetch", BACKUP_NAME=name)
    assert fetched.code == 0, fetched.output
    with empty_database(world) as database:
        restored = programs.tool("restore.sh", database)
        assert restored.code == 0, restored.output
        assert books(world, database) == books(world, origin)
        migrate(world, database, programs.folder)
        assert books(world, database) == books(world, origin)
        checked = programs.ours("check", database)
        assert (checked.code, checked.said["name"]) == (0, name), checked.output

        again = programs.tool("restore.sh", database)
        assert again.code == 0 and "already restored" in again.output
        second = programs.back_up(database)
        assert programs.ours("fetch", BACKUP_NAME=second).code == 0
        other = programs.tool("restore.sh", database)
        assert other.code == 4 and f"restored from backup {name} before" in other.output


def test_a_check_finds_what_was_changed_after_the_backup(world: World, programs: Programs) -> None:
    programs.back_up(world.stack.servers.database)
    assert programs.ours("fetch").code == 0
    with empty_database(world) as database:
        assert programs.tool("restore.sh", database).code == 0
        with world.connect(database) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(
                "UPDATE audit.events SET payload = '{}' WHERE seq = (SELECT max(seq) / 2 FROM audit.events)"
            )
            connection.execute("UPDATE payments.payments SET status = 'failed' WHERE status = 'succeeded'")
        checked = programs.ours("check", database)
        assert checked.code == 1
        for words in ("payments: the backup has", "audit_row_changed"):
            assert words in checked.said["error"]


def test_a_database_that_holds_anything_is_left_alone(world: World, programs: Programs) -> None:
    programs.back_up(world.stack.servers.database)
    assert programs.ours("fetch").code == 0
    with empty_database(world) as database, world.connect(database) as connection:
        for made, gone in (("SCHEMA kyc", "SCHEMA kyc"), ("TABLE public.mine (a int)", "TABLE public.mine")):
            connection.execute(f"CREATE {made}".encode())
            refused = programs.tool("restore.sh", database)
            assert refused.code == 4 and "into an empty database only" in refused.output
            connection.execute(f"DROP {gone}".encode())
        assert programs.tool("restore.sh", database).code == 0


def test_a_dump_that_was_damaged_or_cut_restores_nothing(world: World, programs: Programs) -> None:
    name = programs.back_up(world.stack.servers.database)
    stored = programs.folder / "store" / name / "database.dump"
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-100] + bytes(100))
    damaged = programs.ours("fetch", BACKUP_NAME=name)
    assert damaged.code == 1 and "is damaged" in damaged.said["error"]
    # Even where nobody looked at the hash, half a dump leaves an empty database.
    (programs.folder / "work" / "manifest.json").write_text(
        (programs.folder / "store" / name / "manifest.json").read_text()
    )
    (programs.folder / "work" / "database.dump").write_bytes(whole[: len(whole) // 2])
    with empty_database(world) as database:
        assert programs.tool("restore.sh", database).code != 0
        with world.connect(database) as connection:
            schemas = connection.execute(
                "SELECT count(*) FROM pg_namespace WHERE nspname IN ('accounts', 'payments', 'restore')"
            ).fetchone()
        assert schemas == (0,)


def test_what_is_surplus_goes_and_a_later_version_is_refused(world: World, programs: Programs) -> None:
    names = [programs.back_up(world.stack.servers.database, BACKUP_KEEP_COUNT="1") for _ in range(2)]
    listed = programs.ours("list")
    assert [line.split()[0] for line in listed.output.splitlines()] == names[1:]
    manifest = programs.folder / "store" / names[1] / "manifest.json"
    text = manifest.read_text()
    with world.connect() as connection:
        now = connection.execute("SELECT version_num FROM payments.alembic_version").fetchone()
    assert now is not None
    manifest.write_text(text.replace(f'"payments": "{now[0]}"', '"payments": "9999"'))
    refused = programs.ours("fetch")
    assert refused.code == 1 and "payments 9999" in refused.said["error"]
    unknown = programs.ours("fetch", BACKUP_NAME="19990101t000000z")
    assert unknown.code == 1 and names[1] in unknown.said["error"]


def test_the_server_may_be_away(programs: Programs) -> None:
    away = replace(programs, server=("127.0.0.1", 9))
    assert away.tool("dump.sh", "none").code != 0
    assert away.ours("check", "none").code == 3


def log_is_kept(settings: BackupSettings, folder: Path) -> None:
    """Files of an archived log, in the store of the settings."""
    store = open_store(settings)
    archive, first, second = Archive(store, "7"), "0" * 24, f"{1:024X}"
    for _ in range(2):
        archive.put(second, b"log" * 9999)
    archive.put(first, b"")
    with pytest.raises(Differs):
        archive.put(second, b"another")
    assert archive.names() == [first, second] and systems(store) == ["7"]
    archive.fetch(second, folder)
    assert gzip.decompress((folder / f"{second}.gz").read_bytes()) == b"log" * 9999
    archive.delete([first, second, "F" * 24])
    assert archive.names() == []


@pytest.mark.timeout(1200)  # where nobody has built the server yet
def test_backups_in_a_bucket(world: World, tmp_path: Path) -> None:
    """Every call signed: another key, a damaged object, a server that is away."""
    origin = world.stack.servers.database
    with s3.server(tmp_path, 13070 + PORT_OFFSET) as place:
        programs = Programs(tmp_path, world.stack.servers.postgres, place)
        names = [programs.back_up(origin, BACKUP_KEEP_COUNT="1") for _ in range(2)]
        kept = tmp_path / "s3/objects" / s3.BUCKET / "shop/daily"
        assert [item.name for item in kept.iterdir()] == names[1:]
        assert programs.ours("fetch").code == 0
        with empty_database(world) as database:
            assert programs.tool("restore.sh", database).code == 0
            assert books(world, database) == books(world, origin)

        stored = kept / names[1] / "database.dump"
        stored.write_bytes(stored.read_bytes()[:-1] + b"x")
        damaged = programs.ours("fetch")
        assert damaged.code == 1 and "is damaged" in damaged.said["error"]
        log_is_kept(
            BackupSettings.model_validate({key[7:].lower(): text for key, text in place.items()}), tmp_path
        )
        (tmp_path / "keys" / "secret-access-key").write_text("another")
        refused = programs.ours("list")
        assert refused.code == 3 and s3.KEY not in refused.output and "another" not in refused.output
    gone = programs.ours("list")
    assert gone.code == 3 and "not reached" in gone.said["error"]
