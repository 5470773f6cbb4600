"""Base backups: copies of the data folder from which the archived log leads on. Standard library only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from payments.backup.wal import segment_at


@dataclass(frozen=True, slots=True)
class Base:
    """What is to be known of one.

    Args:
        database: name of the platform's database in it.
        system: which PostgreSQL cluster, by the identifier that it gave itself; its log lies under it.
        first: name of the first segment of the log that it needs.
        ended_at: the first moment that it can be recovered to, UTC.
        bytes: size of base.tar.gz.
        sha256: of base.tar.gz, in hex.
    """

    database: str
    system: str
    first: str
    ended_at: datetime
    bytes: int
    sha256: str


def described(folder: Path, database: str, sha256: str) -> Base:
    """The base backup in a folder: base.tar.gz, backup_manifest, ended. Raises OSError, ValueError."""
    found = json.loads((folder / "backup_manifest").read_text())
    log = found["WAL-Ranges"][0]
    return Base(
        database=database,
        system=str(found["System-Identifier"]),
        first=segment_at(int(log["Timeline"]), log["Start-LSN"]),
        ended_at=datetime.fromisoformat((folder / "ended").read_text().strip()),
        bytes=(folder / "base.tar.gz").stat().st_size,
        sha256=sha256,
    )


def bases_around(bases: Sequence[Base], target: datetime) -> tuple[Base | None, str | None]:
    """The base to recover from, None when all are later, and the last segment that can matter.

    What was committed before the target lies before the end of the first base after it, hence before the
    start of the second.
    """
    by_time = sorted(bases, key=lambda item: item.ended_at)
    before = [item for item in by_time if item.ended_at <= target]
    if not before:
        return None, None
    chosen = before[-1]
    after = [item for item in by_time if item.ended_at > target and item.system == chosen.system]
    return chosen, after[1].first if len(after) > 1 else None
