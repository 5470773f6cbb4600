"""Where backups lie, a folder or a bucket: `<name>/database.dump` and, last, `<name>/manifest.json`.

Between them, where the log is archived, the copy of the data folder: `<name>/base.tar.gz`, with its own
manifest.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, S3Store

from payments.backup.manifest import InvalidManifest, Manifest, parse
from payments.backup.settings import BackupSettings

__all__ = ["BackupMissing", "Backups", "Damaged", "StoreError", "open_store"]

DUMP, MANIFEST = "database.dump", "manifest.json"
BASE, BASE_MANIFEST = "base.tar.gz", "backup_manifest"
#: Anything that the store answers or does not answer; transient or not, the text says.
StoreError = BaseError
_ATTEMPTS, _PATIENCE = 4, timedelta(minutes=2)


class BackupMissing(Exception):
    """There is no such backup."""


class Damaged(Exception):
    """A backup is not what its manifest says."""


def open_store(settings: BackupSettings) -> ObjectStore:
    """The folder or bucket of the settings. Raises ValueError without either, OSError without its keys."""
    if settings.folder is not None:
        return LocalStore(settings.folder, mkdir=True)
    if not settings.s3_bucket:
        raise ValueError("set BACKUP_FOLDER or BACKUP_S3_BUCKET: there is no place for backups")
    key_id, key = settings.credentials()
    return S3Store(
        settings.s3_bucket,
        prefix=settings.s3_prefix.strip("/") or None,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key_id=key_id.get_secret_value(),
        secret_access_key=key.get_secret_value(),
        client_options={
            "allow_http": settings.s3_endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=10),
            "timeout": timedelta(minutes=5),
        },
        retry_config={"max_retries": _ATTEMPTS, "retry_timeout": _PATIENCE},
    )


class Backups:
    """The backups of one store. Every call may raise StoreError."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def all(self) -> list[Manifest]:
        """Every complete backup, oldest first; what is unreadable is left out, and never deleted."""
        found = []
        listing = obstore.list_with_delimiter(self._store)
        for prefix in listing["common_prefixes"]:
            manifest = self._manifest(prefix)
            if manifest is not None:
                found.append(manifest)
        return sorted(found, key=lambda item: (item.taken_at, item.name))

    def find(self, name: str) -> Manifest:
        """The backup of that name; "latest" is the newest. Raises BackupMissing."""
        found = self.all()
        if name == "latest" and found:
            return found[-1]
        for manifest in found:
            if manifest.name == name:
                return manifest
        names = ", ".join(item.name for item in found[-5:]) or "none"
        raise BackupMissing(f"there is no backup {name!r} here; the newest are: {names}")

    def save(self, manifest: Manifest, dump: Path, base: Path | None = None) -> None:
        """Keep a dump and a folder with a base backup; they count once the manifest is there."""
        obstore.put(self._store, f"{manifest.name}/{DUMP}", dump)
        if base is not None:
            for part in (BASE, BASE_MANIFEST):
                obstore.put(self._store, f"{manifest.name}/{part}", base / part)
        obstore.put(self._store, f"{manifest.name}/{MANIFEST}", manifest.as_json().encode())

    def fetch(self, manifest: Manifest, target: Path) -> None:
        """Bring the dump to a file. Raises Damaged when it is not the one of the manifest."""
        self._bring(manifest.name, DUMP, target, manifest.bytes, manifest.sha256)

    def fetch_base(self, manifest: Manifest, target: Path, target_manifest: Path) -> None:
        """Bring the base backup and its own manifest to files. Raises Damaged, BackupMissing without one."""
        if manifest.base is None:
            raise BackupMissing(f"backup {manifest.name} has no copy of the data folder")
        self._bring(manifest.name, BASE, target, manifest.base.bytes, manifest.base.sha256)
        own = obstore.get(self._store, f"{manifest.name}/{BASE_MANIFEST}")
        target_manifest.write_bytes(bytes(own.bytes()))

    def delete(self, gone: Sequence[Manifest]) -> None:
        """Remove backups, the manifest first, so that half a backup never looks like one."""
        for manifest in gone:
            for part in (MANIFEST, DUMP, BASE, BASE_MANIFEST):
                try:
                    obstore.delete(self._store, f"{manifest.name}/{part}")
                except (FileNotFoundError, NotFoundError):
                    continue

    def _bring(self, name: str, part: str, target: Path, wanted_bytes: int, wanted_sha256: str) -> None:
        digest, size = hashlib.sha256(), 0
        try:
            answer = obstore.get(self._store, f"{name}/{part}")
        except (FileNotFoundError, NotFoundError):
            raise Damaged(f"backup {name} has a manifest and no {part}") from None
        with target.open("wb") as file:
            for chunk in answer.stream(min_chunk_size=4 * 2**20):
                digest.update(chunk)
                size += file.write(chunk)
        if (size, digest.hexdigest()) != (wanted_bytes, wanted_sha256):
            raise Damaged(f"backup {name} is damaged: {part} has {size} bytes, SHA-256 {digest.hexdigest()}")

    def _manifest(self, folder: str) -> Manifest | None:
        try:
            return parse(bytes(obstore.get(self._store, f"{folder.strip('/')}/{MANIFEST}").bytes()))
        except (FileNotFoundError, NotFoundError, InvalidManifest):
            return None
