"""Jars from Maven's registry: pom.xml says which, jars.sha256 beside it what they must be, byte for byte."""

from __future__ import annotations

import shutil
from pathlib import Path

from hack.images import digest
from hack.kind.locks import locked
from hack.kind.proc import Failure, run
from hack.kind.settings import Cache
from hack.progress import Step

MAVEN_SECONDS = 900
LOCK_NAME = "jars.sha256"
_GOAL = "dependency:copy-dependencies"


def parse_lock(text: str) -> dict[str, str]:
    """`<hex>  <file name>` lines, as sha256sum prints them, as name → hash."""
    return {name: value for value, name in (line.split() for line in text.splitlines() if line.strip())}


def render_lock(hashes: dict[str, str]) -> str:
    return "".join(f"{value}  {name}\n" for name, value in sorted(hashes.items()))


def differences(wanted: dict[str, str], found: dict[str, str]) -> list[str]:
    """What is missing, too much or of other content, one line each; empty when both are the same."""
    lines = [f"{name} is missing" for name in sorted(wanted.keys() - found.keys())]
    lines += [f"{name} is not in the lock" for name in sorted(found.keys() - wanted.keys())]
    common = sorted(wanted.keys() & found.keys())
    return lines + [
        f"{name} has other content than the lock says" for name in common if wanted[name] != found[name]
    ]


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: digest.of_file(path) for path in sorted(folder.glob("*.jar"))}


def _copy_dependencies(cache: Cache, pom: Path, target: Path) -> None:
    if shutil.which("mvn") is None:
        raise Failure("mvn is needed for the jars of this stand-in: install Maven (apt-get install maven)")
    shutil.rmtree(target, ignore_errors=True)
    work = cache.work / "maven"
    work.mkdir(parents=True, exist_ok=True)
    # Maven writes beside the pom, so it gets a copy outside of the source tree.
    copy = work / "pom.xml"
    shutil.copyfile(pom, copy)
    command = [
        "nice",
        "mvn",
        "-B",
        "-q",
        "-f",
        str(copy),
        _GOAL,
        f"-DoutputDirectory={target}",
        "-DincludeScope=runtime",
    ]
    run(command, timeout=MAVEN_SECONDS, log=cache.logs / "maven.log")


def fetch(cache: Cache, current: Step, name: str, folder: Path) -> Path:
    """The folder with the jars that `folder`/pom.xml asks for and `folder`/jars.sha256 vouches for.

    Raises Failure when what the registry gives differs from the lock.
    """
    wanted = parse_lock((folder / LOCK_NAME).read_text())
    target = cache.root / "maven" / name
    if differences(wanted, _hashes(target)):
        current.note(f"{len(wanted)} jars from Maven")
        with locked(cache, "maven"):
            _copy_dependencies(cache, folder / "pom.xml", target)
        if wrong := differences(wanted, _hashes(target)):
            fix = "if pom.xml changed on purpose, run `python3 -m hack.images lock`"
            raise Failure(f"the jars of {name} are not those of {LOCK_NAME}: {'; '.join(wrong[:5])} ({fix})")
    return target


def write_lock(cache: Cache, name: str, folder: Path) -> int:
    """Writes `folder`/jars.sha256 from what pom.xml brings today; gives the number of jars."""
    target = cache.root / "maven" / name
    with locked(cache, "maven"):
        _copy_dependencies(cache, folder / "pom.xml", target)
    hashes = _hashes(target)
    (folder / LOCK_NAME).write_text(render_lock(hashes))
    return len(hashes)
