"""Debian's mirrors as this machine is told to use them: another suite is fetched from the same places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_OPTIONS = re.compile(r"\[[^]]*\]")


class MirrorError(Exception):
    """No mirror can be found; the message says what to set."""


@dataclass(frozen=True)
class Source:
    """One apt source: address, suite, components."""

    uri: str
    suite: str
    components: tuple[str, ...]


def parse_one_line(text: str) -> list[Source]:
    """`deb [options] URI suite component…` lines of a sources.list; other lines are left aside."""
    found = []
    for line in text.splitlines():
        words = _OPTIONS.sub("", line.partition("#")[0]).split()
        if len(words) >= 3 and words[0] == "deb":
            found.append(Source(words[1].rstrip("/"), words[2], tuple(words[3:])))
    return found


def parse_deb822(text: str) -> list[Source]:
    """Stanzas of a *.sources file (deb822, see sources.list(5)), one Source for each address and suite."""
    found = []
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        key = ""
        for line in stanza.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line[0].isspace():
                fields[key] = f"{fields.get(key, '')} {line.strip()}"
            else:
                key, _, value = line.partition(":")
                key = key.strip().lower()
                fields[key] = value.strip()
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() != "no":
            components = tuple(fields.get("components", "").split())
            found += [
                Source(uri.rstrip("/"), suite, components)
                for uri in fields.get("uris", "").split()
                for suite in fields.get("suites", "").split()
            ]
    return found


def lines_for(sources: list[Source], codename: str, suite: str) -> list[str]:
    """apt lines that fetch `suite`, its updates and its security fixes from where `codename`'s come.

    Raises MirrorError when no source serves `codename`.
    """
    wanted: list[str] = []
    for ending in ("", "-updates", "-security"):
        for source in sources:
            if source.suite == codename + ending:
                line = f"deb {source.uri} {suite}{ending} main"
                if line not in wanted:
                    wanted.append(line)
    if not any(line.split()[2] == suite for line in wanted):
        raise MirrorError(
            f"no apt source here serves Debian '{codename}'; set PAYMENTS_DEBIAN_MIRROR to a mirror's URL"
        )
    return wanted


def machine_sources(folder: Path) -> list[Source]:
    """All enabled sources in an /etc/apt folder."""
    found: list[Source] = []
    if (single := folder / "sources.list").is_file():
        found += parse_one_line(single.read_text())
    for path in sorted(folder.glob("sources.list.d/*")):
        if path.suffix == ".list":
            found += parse_one_line(path.read_text())
        elif path.suffix == ".sources":
            found += parse_deb822(path.read_text())
    return found


def machine_codename(os_release: str) -> str:
    """VERSION_CODENAME of an os-release(5) text, "" when it has none."""
    match = re.search(r"^VERSION_CODENAME=\"?([a-z]+)", os_release, re.MULTILINE)
    return match.group(1) if match else ""


def find(
    suite: str, chosen: str, apt: Path = Path("/etc/apt"), release: Path = Path("/etc/os-release")
) -> list[str]:
    """apt lines for `suite`: from the mirror `chosen` if given, else from this machine's own apt sources."""
    if chosen:
        return [f"deb {chosen.rstrip('/')} {suite} main"]
    codename = machine_codename(release.read_text()) if release.is_file() else ""
    return lines_for(machine_sources(apt), codename, suite)
