"""Build contexts: folders with exactly what an image gets; nothing else reaches the engine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hack.images.digest import source_files
from hack.kind.settings import Cache


@contextmanager
def context(cache: Cache, name: str) -> Iterator[Path]:
    """An empty folder, removed afterwards; one that a killed run left is emptied first."""
    folder = cache.work / f"image-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy_sources(source: Path, target: Path) -> None:
    """Copies a source tree without leftovers; rights become 644 or 755 whatever the checkout's umask was."""
    for path in source_files(source):
        place = target / path.relative_to(source)
        _folder(place.parent, target)
        shutil.copyfile(path, place)
        place.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _folder(folder: Path, top: Path) -> None:
    if not folder.exists():
        if folder != top:
            _folder(folder.parent, top)
        folder.mkdir(parents=True)
        folder.chmod(0o755)


def link_file(source: Path, target: Path) -> None:
    """Puts a big file into the context without copying it where the file system allows."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def link_tree(source: Path, target: Path) -> None:
    """Puts a folder of files that never change into the context, as links where the file system allows."""
    for folder, _, names in os.walk(source):
        place = target / Path(folder).relative_to(source)
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            link_file(Path(folder, name), place / name)
