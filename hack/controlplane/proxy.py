"""Starts and controls the proxy of faulty.py, a process between the operator and the API server."""

from __future__ import annotations

import subprocess
import sys

import httpx

from hack.controlplane.faulty import CONTROL, State
from hack.controlplane.operators import REPOSITORY
from hack.controlplane.processes import end_with_parent
from hack.controlplane.servers import ControlPlane

SECONDS = 10.0


class Proxy:
    """For the block; `url` is its address."""

    def __init__(self, plane: ControlPlane, seed: int) -> None:
        self._command = [
            sys.executable,
            "-m",
            "hack.controlplane.faulty",
            plane.url,
            str(plane.ca),
            str(seed),
        ]
        self._log = plane.folder / f"proxy-{seed}.log"
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> Proxy:
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                preexec_fn=end_with_parent,
            )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"the proxy did not start: see {self._log}")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.terminate()
        self._process.wait(SECONDS)
        self._process.stdout.close()

    def set(self, **members: float | bool | int) -> None:
        """Change members of State."""
        httpx.post(f"{self.url}{CONTROL}", json=members, timeout=SECONDS).raise_for_status()

    @property
    def state(self) -> State:
        """What it is to do, and did."""
        return State(**httpx.get(f"{self.url}{CONTROL}", timeout=SECONDS).raise_for_status().json())
