"""Packages of the Debian machine we run on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from hack.kind.locks import locked
from hack.kind.proc import Failure, run
from hack.kind.settings import Cache
from hack.progress import Step

UPDATE_SECONDS = 300
INSTALL_SECONDS = 900


def can_install() -> bool:
    """Whether this is a Debian-like machine and we are root on it."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(cache: Cache, current: Step, programs: dict[str, str]) -> None:
    """Installs what is missing; `programs` maps a program's name or absolute path to its Debian package.

    Raises Failure naming the packages where we cannot install, CommandFailed when apt fails.
    """
    packages = sorted({package for program, package in programs.items() if not _there(program)})
    if not packages:
        return
    if not can_install():
        raise Failure(
            f"these packages are needed: {' '.join(packages)}. Install them, or run this as root on Debian"
        )
    log = cache.logs / "apt.log"
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    wait = "DPkg::Lock::Timeout=300"
    with locked(cache, "apt"):
        current.note(f"apt-get install {' '.join(packages)} (log: {log})")
        run(["dpkg", "--configure", "-a"], timeout=INSTALL_SECONDS, environment=quiet, log=log)
        run(["apt-get", "-o", wait, "update"], timeout=UPDATE_SECONDS, environment=quiet, log=log)
        command = ["apt-get", "-o", wait, "install", "-y", "--no-install-recommends", *packages]
        run(command, timeout=INSTALL_SECONDS, environment=quiet, log=log)
    if absent := [program for program in programs if not _there(program)]:
        raise Failure(f"still missing after apt-get install: {', '.join(absent)}")


def _there(program: str) -> bool:
    return Path(program).exists() if program.startswith("/") else shutil.which(program) is not None
