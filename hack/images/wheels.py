"""Third-party Python code for an image, installed here from a hash-locked list: builds have no way out."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from hack.images import digest
from hack.kind.locks import locked
from hack.kind.proc import Failure, run
from hack.kind.settings import Cache
from hack.progress import Step

PIP_SECONDS = 900
PYTHON_VERSION = "3.13"
# Newest first; each is a C library that Debian trixie's is compatible with.
_PLATFORMS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def wheel_platforms(machine: str) -> list[str]:
    """pip's names of the platforms whose wheels run in the image. Raises Failure for an unknown machine."""
    try:
        processor = _MACHINES[machine.lower()]
    except KeyError:
        raise Failure(f"images are built on x86_64 or aarch64, and this machine is {machine}") from None
    return [f"{name}_{processor}" for name in _PLATFORMS]


def pip_arguments(requirements: Path, machine: str) -> list[str]:
    """What to get: for the image's Python whatever runs here, only wheels, nothing beyond the locked list."""
    words = ["--requirement", str(requirements), "--require-hashes", "--no-deps"]
    words += ["--python-version", PYTHON_VERSION, "--implementation", "cp", "--only-binary", ":all:"]
    for name in wheel_platforms(machine):
        words += ["--platform", name]
    return words


def site_packages(
    cache: Cache, current: Step, name: str, requirements: Path, unused: Sequence[str] = ()
) -> Path:
    """The folder with everything `requirements` lists but the folders `unused`; installed once for a content.

    Wheels are kept, so that a change of one line fetches one wheel. Raises Failure.
    """
    machine = platform.machine()
    parts = [digest.of_file(requirements), PYTHON_VERSION, *wheel_platforms(machine), *unused]
    folder = cache.root / "wheels"
    target = folder / f"{name}-{digest.of_parts(parts)[:16]}"
    with locked(cache, "wheels"):
        if target.is_dir():
            return target
        wheels = folder / "files"
        wheels.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{name}-unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        arguments = pip_arguments(requirements, machine)
        where = {
            "download": ["--dest", str(wheels)],
            "install": [
                "--no-index",
                "--find-links",
                str(wheels),
                "--target",
                str(unfinished),
                "--no-compile",
            ],
        }
        for verb, words in where.items():
            current.note(f"pip {verb} for {name}")
            command = ["nice", sys.executable, "-m", "pip", verb, "--quiet", "--no-input", *words, *arguments]
            run(command, timeout=PIP_SECONDS, log=cache.logs / "pip.log")
        # Scripts there name this machine's Python; in the image everything is run with `python3 -m`.
        for useless in ("bin", *unused):
            shutil.rmtree(unfinished / useless, ignore_errors=True)
        for old in folder.glob(f"{name}-*"):
            shutil.rmtree(old)
        unfinished.rename(target)
    return target
