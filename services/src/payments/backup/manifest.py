"""What a backup holds and how to know it again. Standard library only."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from payments.backup.base import Base

FORMAT = 1


class InvalidManifest(ValueError):
    """The document is no manifest, or one of a later format."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup.

    Args:
        taken_at: moment of the snapshot that the dump and the facts are of, UTC.
        version: of the platform that made it.
        facts: what the books said in that snapshot: server, roles, schema revisions, totals of the ledger by
            currency (minor units), payments by status, head of the audit chain (files/backup/facts.sql).
        bytes: size of the dump.
        sha256: of the dump, in hex.
        base: the copy of the data folder beside it, where the log is archived.
    """

    name: str
    taken_at: datetime
    version: str
    facts: dict[str, Any]
    bytes: int
    sha256: str
    base: Base | None = None

    @property
    def revisions(self) -> dict[str, str]:
        """Schema → last migration that was applied."""
        return {str(schema): str(revision) for schema, revision in self.facts["revisions"].items()}

    def as_json(self) -> str:
        """The document as it is stored."""
        document = asdict(self) | {"format": FORMAT, "taken_at": moment(self.taken_at)}
        if self.base is not None:
            document["base"] |= {"ended_at": moment(self.base.ended_at)}
        return json.dumps(document, indent=2, sort_keys=True)


def parse(text: str | bytes) -> Manifest:
    """Read a document. Raises InvalidManifest."""
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise InvalidManifest(
                f"the backup has format {found['format']}, this version knows {FORMAT}: use a later version"
            )
        return Manifest(
            name=str(found["name"]),
            taken_at=datetime.fromisoformat(found["taken_at"]),
            version=str(found["version"]),
            facts=dict(found["facts"]),
            bytes=int(found["bytes"]),
            sha256=str(found["sha256"]),
            base=_base(found.get("base")),
        )
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InvalidManifest):
            raise
        raise InvalidManifest(f"not the manifest of a backup: {error!r}") from None


def _base(found: dict[str, Any] | None) -> Base | None:
    if found is None:
        return None
    return Base(**found | {"ended_at": datetime.fromisoformat(found["ended_at"])})


def name_at(taken_at: datetime) -> str:
    """The name of a backup: sorts by time, and two in one second do not occur."""
    return taken_at.astimezone(UTC).strftime("%Y%m%dt%H%M%Sz")


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, whole microseconds as the database has them."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
