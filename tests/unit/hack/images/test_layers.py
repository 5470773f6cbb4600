"""Layers: what changed and nothing else, the same bytes each time."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from hack.images import layers

OLD = 1_600_000_000
BEGAN = 1_700_000_000.0
NEW = 1_700_000_100


def member(
    name: str, text: str | None = None, *, kind: bytes = b"", mode: int = 0o644, when: int = OLD, to: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type = kind or (tarfile.REGTYPE if text is not None else tarfile.DIRTYPE)
    info.mode, info.mtime, info.linkname = mode, when, to
    data = (text or "").encode()
    info.size = len(data)
    return info, data


def write(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w") as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data) if data else None)
    return path


BASE = [
    member("./"),
    member("./usr/"),
    member("./usr/a", "a"),
    member("./usr/b", "b"),
    member("./etc/"),
    member("./etc/c", "c"),
]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write(tmp_path / "base.tar", BASE)


def layer(
    tmp_path: Path, base: Path, full: list[tuple[tarfile.TarInfo, bytes]], drop: tuple[str, ...] = ()
) -> dict[str, tarfile.TarInfo]:
    target = tmp_path / "layer.tar"
    layers.write_layer(write(tmp_path / "full.tar", full), target, layers.read_index(base), drop, BEGAN)
    with tarfile.open(target) as archive:
        return {info.name: info for info in archive}


def test_only_what_differs_is_written_with_its_folders(tmp_path: Path, base: Path) -> None:
    full = [*BASE, member("./usr/new", "x", when=NEW), member("./opt/"), member("./opt/tool", "t")]
    assert list(layer(tmp_path, base, full)) == ["usr", "usr/new", "opt", "opt/tool"]


def test_other_content_rights_or_targets_count_as_different(tmp_path: Path, base: Path) -> None:
    full = [
        member("./"),
        member("./usr/"),
        member("./usr/a", "A"),
        member("./usr/b", "b", mode=0o755),
        member("./etc/"),
        member("./etc/c", "c"),
    ]
    assert list(layer(tmp_path, base, full)) == ["usr", "usr/a", "usr/b"]


def test_another_time_alone_does_not_count(tmp_path: Path, base: Path) -> None:
    full = [*BASE[:2], member("./usr/a", "a", when=NEW), *BASE[3:]]
    assert layer(tmp_path, base, full) == {}


def test_times_of_the_build_are_fixed_and_others_kept(tmp_path: Path, base: Path) -> None:
    found = layer(tmp_path, base, [*BASE, member("./usr/made", "x", when=NEW), member("./usr/packaged", "y")])
    assert (found["usr/made"].mtime, found["usr/packaged"].mtime) == (layers.EPOCH, OLD)


def test_globs_cross_folders(tmp_path: Path, base: Path) -> None:
    full = [
        *BASE,
        member("./usr/doc/"),
        member("./usr/doc/deep/"),
        member("./usr/doc/deep/x", "x"),
        member("./usr/k", "k"),
    ]
    assert list(layer(tmp_path, base, full, ("usr/doc/*",))) == ["usr", "usr/doc", "usr/k"]


def test_devices_never_get_in(tmp_path: Path, base: Path) -> None:
    full = [
        *BASE,
        member("./dev/"),
        member("./dev/null", kind=tarfile.CHRTYPE),
        member("./run/"),
        member("./run/p", kind=tarfile.FIFOTYPE),
    ]
    assert list(layer(tmp_path, base, full)) == ["dev", "run"]


def test_a_hard_link_stays_one_when_its_first_name_is_there(tmp_path: Path, base: Path) -> None:
    found = layer(
        tmp_path,
        base,
        [*BASE, member("./usr/one", "x"), member("./usr/two", kind=tarfile.LNKTYPE, to="./usr/one")],
    )
    assert found["usr/two"].islnk() and found["usr/two"].linkname == "usr/one"


def test_a_hard_link_below_is_no_difference_however_its_name_is_written(tmp_path: Path) -> None:
    base = [*BASE, member("./usr/d", kind=tarfile.LNKTYPE, to="usr/a")]
    full = [*BASE, member("./usr/d", kind=tarfile.LNKTYPE, to="./usr/a")]
    assert layer(tmp_path, write(tmp_path / "linked.tar", base), full) == {}


def test_a_hard_link_whose_first_name_is_dropped_carries_the_content(tmp_path: Path, base: Path) -> None:
    full = [*BASE, member("./usr/one", "content"), member("./usr/two", kind=tarfile.LNKTYPE, to="./usr/one")]
    found = layer(tmp_path, base, full, ("usr/one",))
    assert found["usr/two"].isreg()
    assert layers.read_text(tmp_path / "layer.tar", "usr/two") == "content"


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path, base: Path) -> None:
    contents = []
    for when in (NEW, NEW + 50):
        layer(
            tmp_path,
            base,
            [
                *BASE,
                member("./usr/made", "x", when=when),
                member("./usr/link", kind=tarfile.SYMTYPE, to="made", when=when),
            ],
        )
        contents.append((tmp_path / "layer.tar").read_bytes())
    assert contents[0] == contents[1]


def test_a_text_that_is_not_there_is_named(base: Path) -> None:
    with pytest.raises(KeyError, match="usr/none"):
        layers.read_text(base, "usr/none")
