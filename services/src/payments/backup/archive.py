"""The archived log in a store: `wal/<system>/<segment>.gz`, each file written once."""

import gzip
import os
from collections.abc import Iterable
from pathlib import Path

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import ObjectStore

from payments.backup.stores import Damaged

_ROOT = "wal"


class Differs(Exception):
    """The store has another file of that name; nothing was changed."""


class Archive:
    """The log of one PostgreSQL cluster. Every call may raise StoreError.

    Args:
        system: the cluster's identifier.
        folder: where the store lies when it is a folder; what is put there is on disk before `put` returns.
    """

    def __init__(self, store: ObjectStore, system: str, folder: Path | None = None) -> None:
        self._store = store
        self._prefix = f"{_ROOT}/{system}"
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        """Keep a file. The same once more is well. Raises Differs, Damaged."""
        there = self._content(name)
        if there is not None and there != content:
            raise Differs(f"{self._path(name)} is in the store with another content: are there two servers?")
        if there is None:
            obstore.put(self._store, self._path(name), gzip.compress(content, compresslevel=1))
        if self._folder is not None:
            file = self._folder / self._path(name)
            for path in (file, file.parent, file.parent.parent):
                _sync(path)

    def names(self) -> list[str]:
        """All files, in order."""
        found = (item["path"] for chunk in obstore.list(self._store, self._prefix) for item in chunk)
        return sorted(path.rpartition("/")[2].removesuffix(".gz") for path in found if path.endswith(".gz"))

    def fetch(self, name: str, folder: Path) -> None:
        """Bring a file, as it is stored, into a folder."""
        content = bytes(obstore.get(self._store, self._path(name)).bytes())
        (folder / f"{name}.gz").write_bytes(content)

    def delete(self, names: Iterable[str]) -> None:
        """Remove files."""
        for name in names:
            try:
                obstore.delete(self._store, self._path(name))
            except (FileNotFoundError, NotFoundError):
                continue

    def _content(self, name: str) -> bytes | None:
        try:
            stored = bytes(obstore.get(self._store, self._path(name)).bytes())
        except (FileNotFoundError, NotFoundError):
            return None
        try:
            return gzip.decompress(stored)
        except (OSError, EOFError) as error:
            raise Damaged(f"{self._path(name)} is damaged: {error}") from None

    def _path(self, name: str) -> str:
        return f"{self._prefix}/{name}.gz"


def systems(store: ObjectStore) -> list[str]:
    """The clusters whose log is there."""
    listing = obstore.list_with_delimiter(store, _ROOT)
    return sorted(prefix.strip("/").rpartition("/")[2] for prefix in listing["common_prefixes"])


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
