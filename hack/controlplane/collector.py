"""Kubernetes' own garbage collector, and no other controller, as a process."""

from __future__ import annotations

import json
import subprocess

from hack.controlplane.processes import end_with_parent
from hack.controlplane.servers import CONTROLLERS, ControlPlane, built, free_ports

SECONDS = 15.0


class Collector:
    """For the block."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Collector:
        folder = self._plane.folder
        kubeconfig = folder / "kubeconfig-collector.json"
        cluster = {"server": self._plane.url, "certificate-authority": str(self._plane.ca)}
        kubeconfig.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "local", "cluster": cluster}],
                    "users": [{"name": "controllers", "user": {"token": CONTROLLERS.token}}],
                    "contexts": [{"name": "local", "context": {"cluster": "local", "user": "controllers"}}],
                    "current-context": "local",
                }
            )
        )
        command = [
            str(built() / "kube-controller-manager"),
            f"--kubeconfig={kubeconfig}",
            "--controllers=garbage-collector-controller",
            "--leader-elect=false",
            f"--secure-port={free_ports(1)[0]}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={folder}",
        ]
        with self._plane.log("kube-controller-manager").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=end_with_parent)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(SECONDS)
