"""Third-party Python code for an image, installed here from a hash-locked list: builds have no way out."""

from __future__ import annotations

import platform
import shutil
import sys
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


def pip_command(python: str, requirements: Path, target: Path, machine: str, cache: Path) -> list[str]:
    """The pip call: for the image's Python whatever runs here, only wheels, nothing beyond the lock."""
    command = ["nice", python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--target", str(target), "--requirement", str(requirements), "--require-hashes", "--no-deps"]
    command += [
        "--python-version",
        PYTHON_VERSION,
        "--implementation",
        "cp",
        "--only-binary",
        ":all:",
        "--no-compile",
    ]
    for name in wheel_platforms(machine):
        command += ["--platform", name]
    return [*command, "--cache-dir", str(cache), "--root-user-action", "ignore"]


def site_packages(cache: Cache, current: Step, name: str, requirements: Path) -> Path:
    """The folder with everything `requirements` lists, installed once for each content of it. Raises Failure."""
    machine = platform.machine()
    key = digest.of_parts([digest.of_file(requirements), PYTHON_VERSION, *wheel_platforms(machine)])[:16]
    folder = cache.root / "wheels"
    target = folder / f"{name}-{key}"
    with locked(cache, "wheels"):
        if target.is_dir():
            return target
        folder.mkdir(parents=True, exist_ok=True)
        current.note(f"{requirements.parent.name}/{requirements.name} for Python {PYTHON_VERSION}")
        unfinished = folder / f".{name}-unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = pip_command(sys.executable, requirements, unfinished, machine, folder / "pip")
        run(command, timeout=PIP_SECONDS, log=cache.logs / "pip.log")
        # Scripts there name this machine's Python; in the image everything is run with `python3 -m`.
        shutil.rmtree(unfinished / "bin", ignore_errors=True)
        for old in folder.glob(f"{name}-*"):
            shutil.rmtree(old)
        unfinished.rename(target)
    return target
