"""Content hashes: they change with what matters, and with nothing else."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hack.images import catalog, digest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "src" / "pay").mkdir(parents=True)
    (tmp_path / "src" / "pay" / "a.py").write_text("a = 1\n")
    (tmp_path / "src" / "b.py").write_text("b = 1\n")
    (tmp_path / "list.txt").write_text("x==1\n")
    return tmp_path


def value(tree: Path) -> str:
    return digest.of_trees(tree, ["src", "list.txt"])


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda tree: (tree / "src/b.py").write_text("b = 2\n"),
    "name": lambda tree: (tree / "src/b.py").rename(tree / "src/c.py"),
    "folder": lambda tree: (tree / "src/b.py").rename(tree / "src/pay/b.py"),
    "executable": lambda tree: (tree / "src/b.py").chmod(0o755),
    "new file": lambda tree: (tree / "src/new.py").write_text(""),
    "removed file": lambda tree: (tree / "src/b.py").unlink(),
    "single file": lambda tree: (tree / "list.txt").write_text("x==2\n"),
}
NO_CHANGES: dict[str, Callable[[Path], object]] = {
    "time": lambda tree: os.utime(tree / "src/b.py", (1, 1)),
    "umask": lambda tree: (tree / "src/b.py").chmod(0o600),
    "bytecode": lambda tree: (tree / "src/b.pyc").write_text("x"),
    "cache": lambda tree: shutil.copytree(tree / "src/pay", tree / "src/__pycache__"),
    "hidden": lambda tree: (tree / "src/.DS_Store").write_text("x"),
    "editor": lambda tree: (tree / "src/b.py~").write_text("x"),
    "elsewhere": lambda tree: (tree / "README.md").write_text("x"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes(tree: Path, name: str) -> None:
    before = value(tree)
    CHANGES[name](tree)
    assert value(tree) != before


@pytest.mark.parametrize("name", NO_CHANGES)
def test_no_changes(tree: Path, name: str) -> None:
    before = value(tree)
    NO_CHANGES[name](tree)
    assert value(tree) == before


def test_the_place_of_the_tree_does_not_matter(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "clone"
    other.mkdir()
    for path in digest.source_files(tree):
        target = other / path.relative_to(tree)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    assert value(other) == value(tree)


def test_parts_cannot_run_into_each_other() -> None:
    assert digest.of_parts(["ab", "c"]) != digest.of_parts(["a", "bc"])
    assert digest.of_parts(["ab"]) != digest.of_parts(["ab", ""])


def test_what_is_missing_is_named(tree: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        digest.of_trees(tree, ["nowhere"])


def test_own_tag_has_its_form() -> None:
    tag = digest.own_tag(catalog.REPOSITORY)
    assert re.fullmatch(r"0\.1\.0-[0-9a-f]{12}", tag)
