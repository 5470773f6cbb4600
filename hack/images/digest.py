"""Content hashes: our own images' tag, and the labels that tell whether an image is what its inputs make."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

VERSION = "0.1.0"
TAG_DIGITS = 12
# Everything of this repository that makes our two images; they share one tag.
OWN_INPUTS = (
    "operator/src",
    "operator/requirements.txt",
    "services/src",
    "services/requirements.txt",
    "charts/payment-platform",
    "hack/images/dependencies.Dockerfile",
    "hack/images/operator.Dockerfile",
    "hack/images/services.Dockerfile",
)
_LEFT_OUT_FOLDERS = {"__pycache__", "node_modules"}


def is_left_out(name: str, is_folder: bool) -> bool:
    """Whether a file or folder of a source tree is a tool's leftover: it is neither hashed nor copied."""
    if name.startswith("."):
        return name != ".helmignore"
    return (
        name in _LEFT_OUT_FOLDERS or name.endswith(".egg-info") if is_folder else name.endswith((".pyc", "~"))
    )


def source_files(path: Path) -> list[Path]:
    """The files at or below `path`, sorted, leftovers aside. Raises FileNotFoundError if there is none."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FileNotFoundError(path)
    found: list[Path] = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not is_left_out(name, True))
        found += [Path(folder, name) for name in names if not is_left_out(name, False)]
    return sorted(found)


def of_parts(parts: Iterable[str]) -> str:
    """SHA-256 (hex) over texts, each with its length, so that no two lists of parts look alike."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode()
        total.update(f"{len(data)}:".encode() + data)
    return total.hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 (hex) of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def of_trees(root: Path, paths: Iterable[str]) -> str:
    """SHA-256 (hex) over the files below root/path for each path: their names, executable bits and contents.

    Raises FileNotFoundError naming a path that is not there.
    """
    parts: list[str] = []
    for path in paths:
        for file in source_files(root / path):
            executable = "x" if file.stat().st_mode & 0o100 else "-"
            parts += [file.relative_to(root).as_posix(), executable, of_file(file)]
    return of_parts(parts)


def own_tag(root: Path) -> str:
    """`0.1.0-<12 hex>`: one tag for both of our images, from everything that goes into them."""
    return f"{VERSION}-{of_trees(root, OWN_INPUTS)[:TAG_DIGITS]}"
