"""Layers from root file systems: what a full tar has beyond the one below it, unneeded files aside."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

# The time of every file that the build made: the same packages give the same bytes.
EPOCH = 1735689600


@dataclass(frozen=True)
class Entry:
    """What makes a file the same: kind, rights, owner, target, content (its SHA-256); not its time."""

    kind: bytes
    mode: int
    owner: tuple[int, int]
    target: str
    content: str


Index = Mapping[str, Entry]


def clean_name(name: str) -> str:
    """`./usr/bin/` → `usr/bin`; the root itself is the empty name."""
    return name.removeprefix("./").strip("/").removeprefix(".")


def is_dropped(name: str, patterns: Sequence[str]) -> bool:
    """Whether a glob covers the name; `*` crosses folders."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    content = ""
    if member.isreg() and (stream := archive.extractfile(member)) is not None:
        content = hashlib.sha256(stream.read()).hexdigest()
    target = clean_name(member.linkname) if member.islnk() else member.linkname
    return Entry(member.type, member.mode, (member.uid, member.gid), target, content)


def read_index(tar: Path) -> dict[str, Entry]:
    """Name → entry of everything in a tar file."""
    with tarfile.open(tar) as archive:
        return {clean_name(member.name): _entry(archive, member) for member in archive}


def read_text(tar: Path, name: str) -> str:
    """A text file of a tar file. Raises KeyError when it is not there."""
    with tarfile.open(tar) as archive:
        for member in archive:
            if clean_name(member.name) == name and (stream := archive.extractfile(member)) is not None:
                return stream.read().decode()
    raise KeyError(name)


def write_layer(full: Path, layer: Path, base: Index, drop: Sequence[str], began: float) -> int:
    """Writes to `layer` what `full` has and `base` has not, or has otherwise; gives the number of entries.

    Folders that did not change come along where something below them did. Names that a glob of `drop` covers
    are left out. Files newer than `began` (seconds since 1970) were made by the build and get a fixed time;
    the packages' own files keep theirs (Python checks its bytecode against them).
    """
    folders: dict[str, tarfile.TarInfo] = {}
    written: set[str] = set()
    with tarfile.open(full) as source, tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as target:
        for member in source:
            name = clean_name(member.name)
            if not name or is_dropped(name, drop) or member.ischr() or member.isblk() or member.isfifo():
                continue
            entry = _entry(source, member)
            if member.isdir():
                folders[name] = member
            if base.get(name) == entry:
                continue
            _add_parents(name, folders, written, target, began)
            stream = None
            if member.islnk():
                linked = clean_name(member.linkname)
                if linked in written:
                    member.linkname = linked
                else:
                    # The first name of this content is not in the layer, so the second one has to carry it.
                    stream = source.extractfile(member)
                    original = source.getmember(member.linkname)
                    member.type, member.linkname, member.size = tarfile.REGTYPE, "", original.size
            elif member.isreg():
                stream = source.extractfile(member)
            _write(target, name, member, stream, began)
            written.add(name)
    return len(written)


def _add_parents(
    name: str,
    folders: Mapping[str, tarfile.TarInfo],
    written: set[str],
    target: tarfile.TarFile,
    began: float,
) -> None:
    parts = name.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        parent = "/".join(parts[:depth])
        if parent not in written and parent in folders:
            _write(target, parent, folders[parent], None, began)
            written.add(parent)


def _write(
    target: tarfile.TarFile, name: str, member: tarfile.TarInfo, stream: IO[bytes] | None, began: float
) -> None:
    member.name = name
    member.uname = member.gname = ""
    member.mtime = EPOCH if member.mtime >= int(began) else int(member.mtime)
    # Times and names in extended headers would differ from build to build.
    member.pax_headers = {}
    target.addfile(member, stream)
