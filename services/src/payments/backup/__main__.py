"""Backups of the database.

    store   keep the dump in the work folder, with its manifest, and delete what need not be kept
    list    the backups that are there
    fetch   bring the backup BACKUP_NAME (or latest) to the work folder, if this version can restore it;
            with BACKUP_TARGET_TIME what leads to that moment
    archive bring the write-ahead log that waits from the server into the store, up to now
    check   prove that the database is the restored backup, and its books right

BACKUP_FOLDER or BACKUP_S3_* say where backups lie, DATABASE_* where the database is (archive, check).
"""

import argparse
import hashlib
import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from payments.backup import check, recovery, versions
from payments.backup.archive import Archive, Differs, systems
from payments.backup.base import described
from payments.backup.manifest import InvalidManifest, Manifest, moment, name_at
from payments.backup.retention import surplus
from payments.backup.settings import BackupSettings
from payments.backup.shipping import Late, mark, ship, system_of
from payments.backup.stores import (
    BASE,
    DUMP,
    MANIFEST,
    BackupMissing,
    Backups,
    Damaged,
    StoreError,
    open_store,
)
from payments.backup.wal import outdated
from payments.common.settings import DatabaseSettings
from payments.verification.snapshot import connect

log = logging.getLogger("payments.backup")


class Refused(Exception):
    """Trying again is of no use; the text says what to do."""


def main() -> int:
    """0: done; 1: refused, or something is wrong; 2: wrong arguments; 3: not reached, worth another try."""
    parser = argparse.ArgumentParser(
        prog="python3 -m payments.backup",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS)
    command = COMMANDS[parser.parse_args().command]
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    settings = BackupSettings()
    try:
        command(settings)
    except (Refused, BackupMissing, Damaged, Differs, InvalidManifest, ValueError) as error:
        return _ended(settings, str(error), 1)
    except (StoreError, psycopg.Error, Late, OSError) as error:
        return _ended(settings, f"not reached: {error}", 3)
    return 0


def _store(settings: BackupSettings) -> None:
    dump, store = settings.work / DUMP, open_store(settings)
    backups, folder = Backups(store), settings.work / "base"
    facts = json.loads((settings.work / "facts.json").read_text())
    taken_at = datetime.fromisoformat(facts.pop("taken_at"))
    manifest = Manifest(
        name=name_at(taken_at),
        taken_at=taken_at,
        version=settings.platform_version,
        facts=facts,
        bytes=dump.stat().st_size,
        sha256=_sha256(dump),
        base=described(folder, settings.database, _sha256(folder / BASE)) if settings.point_in_time else None,
    )
    backups.save(manifest, dump, folder if manifest.base else None)
    log.info("backup %s: %d bytes, SHA-256 %s", manifest.name, manifest.bytes, manifest.sha256)
    gone = surplus(
        backups.all(), count=settings.keep_count, days=settings.keep_days or None, now=datetime.now(UTC)
    )
    backups.delete(gone)
    for item in gone:
        log.info("backup %s of %s deleted", item.name, moment(item.taken_at))
    bases = [item.base for item in backups.all() if item.base is not None]
    for system in systems(store):
        archive = Archive(store, system)
        # A base is of use with all of the log that follows it; what no base needs, nothing can be made of.
        old = outdated(
            archive.names(), min((item.first for item in bases if item.system == system), default=None)
        )
        archive.delete(old)
        log.info("%d files of the log of %s deleted", len(old), system)
    words: dict[str, object] = {
        "name": manifest.name,
        "takenAt": moment(manifest.taken_at),
        "bytes": manifest.bytes,
    }
    if manifest.base is not None:
        own = min(item.ended_at for item in bases if item.system == manifest.base.system)
        words["restorableFrom"] = moment(own)
    _say(settings, words)


def _archive(settings: BackupSettings) -> None:
    with connect(DatabaseSettings()) as connection:  # type: ignore[call-arg]  # from the environment
        archive = Archive(open_store(settings), system_of(connection), settings.folder)
        reached = mark(connection)
        files = ship(connection, archive, reached.segment, patience=settings.patience)
    log.info("%d files archived: any moment up to %s can be restored", files, moment(reached.at))
    _say(settings, {"name": reached.segment, "takenAt": moment(reached.at)})


def _list(settings: BackupSettings) -> None:
    for item in Backups(open_store(settings)).all():
        sys.stdout.write(f"{item.name}  {moment(item.taken_at)}  {item.version}  {item.bytes} bytes\n")


def _fetch(settings: BackupSettings) -> None:
    if settings.target_time is not None:
        found = recovery.prepare(open_store(settings), settings.target_time, settings.work / "recovery")
        (settings.work / MANIFEST).write_text(found.as_json())
        log.info("what leads to %s is here", moment(settings.target_time))
        return
    backups = Backups(open_store(settings))
    manifest = backups.find(settings.name)
    later = versions.later_than_ours(manifest)
    if later:
        raise Refused(
            f"backup {manifest.name} was made by version {manifest.version}, whose schemas are newer"
            f" ({', '.join(later)}): restore it with that version or a later one"
        )
    log.info("fetching backup %s, %d bytes", manifest.name, manifest.bytes)
    backups.fetch(manifest, settings.work / DUMP)
    (settings.work / MANIFEST).write_text(manifest.as_json())
    log.info("backup %s is here and whole", manifest.name)


def _check(settings: BackupSettings) -> None:
    with connect(DatabaseSettings()) as connection:  # type: ignore[call-arg]  # from the environment
        manifest = check.origin(connection)
        if manifest is None:
            raise Refused("the database was restored from no backup")
        row = connection.execute(settings.facts_file.read_bytes()).fetchone()
        assert row is not None  # such a statement always returns one row
        wrong = check.compare(manifest, row[0])
        outcomes = check.books(connection, manifest)
    for outcome in outcomes:
        log.info("%s %s", "ok" if outcome.ok else f"WRONG ({outcome.wrong})", outcome.about)
        wrong += [f"{item.kind} {item.id}" for item in outcome.mismatches[:5]]
    if wrong:
        raise Refused(f"the books of backup {manifest.name} are not right: {'; '.join(wrong)}")
    counted = sum(outcome.counted for outcome in outcomes)
    log.info("backup %s: %d checks over %d things, nothing is wrong", manifest.name, len(outcomes), counted)
    _say(settings, {"name": manifest.name, "takenAt": moment(manifest.taken_at)})


COMMANDS: dict[str, Callable[[BackupSettings], None]] = {
    "store": _store,
    "list": _list,
    "fetch": _fetch,
    "archive": _archive,
    "check": _check,
}


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _ended(settings: BackupSettings, text: str, code: int) -> int:
    sys.stderr.write(f"error: {text}\n")
    _say(settings, {"error": text[:1000]})
    return code


def _say(settings: BackupSettings, words: dict[str, object]) -> None:
    """For the operator, which reads it from the pod's status; elsewhere there is no such file."""
    if settings.termination_log.exists():
        settings.termination_log.write_text(json.dumps(words))


if __name__ == "__main__":
    sys.exit(main())
