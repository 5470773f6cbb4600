"""The operator as a process, as its image runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hack.controlplane.processes import end_with_parent
from hack.controlplane.servers import OPERATORS, ControlPlane, built

REPOSITORY = Path(__file__).parents[2]
STOP_SECONDS = 20.0


class Operator:
    """`python3 -m payment_operator.main` with a kubeconfig; `number` (0 to 11) tells it from others."""

    def __init__(
        self,
        plane: ControlPlane,
        *,
        number: int = 0,
        namespaces: Sequence[str] = (),
        resync: float = 90.0,
        lease: str = "",
        url: str = "",
        settings: dict[str, str] | None = None,
    ) -> None:
        self._plane = plane
        self._kubeconfig = plane.folder / f"kubeconfig-{number}-{time.monotonic_ns()}.json"
        self._kubeconfig.write_text(json.dumps(kubeconfig(plane, number, url)))
        self.uid = OPERATORS[number].uid
        self.log = self._kubeconfig.with_suffix(".log")
        prefix = "PAYMENT_OPERATOR_"
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(plane.folder),
            "KUBECONFIG": str(self._kubeconfig),
            "PYTHONPATH": str(REPOSITORY / "operator" / "src"),
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",
            f"{prefix}CHART": str(REPOSITORY / "charts" / "payment-platform"),
            f"{prefix}HELM": str(built() / "helm"),
            f"{prefix}WATCH_NAMESPACES": ",".join(namespaces),
            f"{prefix}RESYNC_SECONDS": str(resync),
            f"{prefix}LEASE_NAMESPACE": lease,
            f"{prefix}IDENTITY": self.uid,
            f"{prefix}METRICS_PORT": "0",
            f"{prefix}HEALTH_PORT": "0",
        } | {f"{prefix}{name}": value for name, value in (settings or {}).items()}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin; the log grows over restarts."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "payment_operator.main"],
                env=self._environment,
                cwd=self._plane.folder,
                stdout=output,
                stderr=output,
                preexec_fn=end_with_parent,
            )

    def __enter__(self) -> Operator:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that runs, or ran."""
        if self._process is None:
            raise RuntimeError("the operator was not started")
        return self._process

    @property
    def runs(self) -> bool:
        """Whether it is alive."""
        return self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL, as when the kernel or the node ends it."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def stop(self) -> int:
        """SIGTERM; the exit status, negative when a signal ended it."""
        if not self.runs:
            return self.process.wait()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def pss(self) -> float:
        """MiB of memory of its own, shared pages by share."""
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the kernel tells no Pss")

    def peak(self) -> float:
        """MiB of resident memory at its highest."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the kernel tells no VmHWM")

    def cpu(self) -> float:
        """Seconds of CPU so far, those of helm included."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def kubeconfig(plane: ControlPlane, number: int, url: str) -> dict[str, object]:
    """For one operator; `url` of a proxy in front, which speaks plain HTTP on loopback."""
    cluster = {"server": url} if url else {"server": plane.url, "certificate-authority": str(plane.ca)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": cluster}],
        "users": [{"name": "operator", "user": {"token": OPERATORS[number].token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "operator"}}],
        "current-context": "local",
    }
