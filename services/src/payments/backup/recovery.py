"""Preparing a recovery to a moment: base backup and log in a folder, for PostgreSQL's own programs."""

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from obstore.store import ObjectStore

from payments.backup import versions
from payments.backup.archive import Archive
from payments.backup.base import bases_around
from payments.backup.manifest import Manifest, moment, name_at
from payments.backup.stores import BASE, BASE_MANIFEST, BackupMissing, Backups
from payments.backup.wal import needed

log = logging.getLogger(__name__)


def prepare(store: ObjectStore, target: datetime, folder: Path) -> Manifest:
    """Bring what recover.sh needs into a folder.

    Returns the manifest of the backup that comes of it, with the facts of the base until they are asked anew.
    Raises BackupMissing, stores.Damaged, StoreError, OSError.
    """
    backups = Backups(store)
    all_of_them = [item for item in backups.all() if item.base is not None]
    if target > datetime.now(UTC):
        raise BackupMissing(f"{moment(target)} is still to come: name a moment that has passed")
    chosen, last = chosen_of(all_of_them, target)
    base = chosen.base
    assert base is not None  # as all of them
    archive = Archive(store, base.system)
    names = needed(archive.names(), base.first, last)
    log.info(
        "backup %s, %d bytes, and %d files of the log from %s on",
        chosen.name,
        base.bytes,
        len(names),
        base.first,
    )
    if folder.exists():
        shutil.rmtree(folder)
    (folder / "wal").mkdir(parents=True)
    backups.fetch_base(chosen, folder / BASE, folder / BASE_MANIFEST)
    for name in names:
        archive.fetch(name, folder / "wal")
    (folder / "database").write_text(base.database)
    (folder / "newest.json").write_text(json.dumps(versions.newest()))
    (folder / "target").write_text(moment(target))
    return replace(chosen, name=f"{chosen.name}-to-{name_at(target)}", taken_at=target, base=None)


def chosen_of(backups: Sequence[Manifest], target: datetime) -> tuple[Manifest, str | None]:
    """The backup to recover from and the last segment that can matter. Raises BackupMissing."""
    bases = {item.base: item for item in backups if item.base is not None}
    base, last = bases_around([*bases], target)
    if base is None:
        first = min((item.ended_at for item in bases), default=None)
        since = f"the first moment is {moment(first)}" if first else "no backup here has a copy of the data"
        raise BackupMissing(f"nothing leads to {moment(target)}: {since}")
    return bases[base], last
