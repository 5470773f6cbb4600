"""Which schemas this version of the platform can work with."""

from pathlib import Path

from payments.backup.manifest import Manifest
from payments.migrate import OWNERS

_PACKAGE = Path(__file__).parents[1]


def newest() -> dict[str, str]:
    """Schema → the last migration that this version has (revisions are numbers of four digits)."""
    return {
        schema: max(file.name[:4] for file in (_PACKAGE / module / "migrations").glob("[0-9]*_*.py"))
        for module, schema in OWNERS.items()
    }


def later_than_ours(manifest: Manifest) -> list[str]:
    """Schemas of a backup that this version is too old for, with their revisions."""
    ours = newest()
    return [
        f"{schema} {revision}"
        for schema, revision in sorted(manifest.revisions.items())
        if revision > ours.get(schema, "")
    ]
