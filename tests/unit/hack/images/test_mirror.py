"""Where Debian's packages come from: the machine's own sources, in both of apt's formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from hack.images import mirror
from hack.images.mirror import MirrorError, Source

ONE_LINE = """
# a comment
deb [arch=amd64 signed-by=/keyrings/x.gpg] https://mirror.example/debian/ bookworm main contrib # why
deb-src https://mirror.example/debian bookworm main
deb https://mirror.example/debian bookworm-updates main
deb https://security.example/debian-security bookworm-security main
"""
DEB822 = """\
# first
Types: deb deb-src
URIs: https://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main
# between
Signed-By: /usr/share/keyrings/x.gpg

Types: deb
URIs: https://security.example/debian-security/
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: https://off.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: https://source.example/debian
Suites: bookworm
Components: main
"""
WANTED = [
    "deb https://mirror.example/debian trixie main",
    "deb https://mirror.example/debian trixie-updates main",
    "deb https://security.example/debian-security trixie-security main",
]


def test_one_line_format() -> None:
    found = mirror.parse_one_line(ONE_LINE)
    assert found[0] == Source("https://mirror.example/debian", "bookworm", ("main", "contrib"))
    assert [source.suite for source in found] == ["bookworm", "bookworm-updates", "bookworm-security"]


def test_deb822_format() -> None:
    found = mirror.parse_deb822(DEB822)
    assert [(source.uri, source.suite) for source in found] == [
        ("https://mirror.example/debian", "bookworm"),
        ("https://mirror.example/debian", "bookworm-updates"),
        ("https://security.example/debian-security", "bookworm-security"),
    ]


@pytest.mark.parametrize("sources", [mirror.parse_one_line(ONE_LINE), mirror.parse_deb822(DEB822)])
def test_another_suite_comes_from_the_same_places(sources: list[Source]) -> None:
    assert mirror.lines_for(sources, "bookworm", "trixie") == WANTED


def test_repeated_sources_count_once() -> None:
    twice = mirror.parse_one_line(ONE_LINE) * 2
    assert mirror.lines_for(twice, "bookworm", "trixie") == WANTED


def test_sources_of_other_makers_are_no_mirrors() -> None:
    sources = mirror.parse_one_line("deb https://packages.example/apt cloud-bookworm main")
    with pytest.raises(MirrorError, match="PAYMENTS_DEBIAN_MIRROR"):
        mirror.lines_for(sources, "bookworm", "trixie")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d" / "old.list.save").write_text("deb https://stale.example bookworm main")
    (tmp_path / "os-release").write_text('NAME="Debian"\nVERSION_CODENAME=bookworm\n')
    return tmp_path


def test_find_reads_the_machine_s_files(machine: Path) -> None:
    assert mirror.find("trixie", "", machine, machine / "os-release") == WANTED


def test_a_chosen_mirror_wins(machine: Path) -> None:
    lines = mirror.find("trixie", "https://chosen.example/debian/", machine, machine / "os-release")
    assert lines == ["deb https://chosen.example/debian trixie main"]


def test_a_machine_that_is_no_debian_is_told_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(MirrorError, match="PAYMENTS_DEBIAN_MIRROR"):
        mirror.find("trixie", "", tmp_path, tmp_path / "os-release")
