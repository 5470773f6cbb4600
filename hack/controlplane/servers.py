"""A control plane without nodes: etcd and kube-apiserver as processes on loopback, their data in one folder.

Nothing runs in it: no scheduler, no kubelet, no controllers but those of controllers.py. The operator's own
account has the rights that its chart gives; who wrote what is in the audit log.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hack.controlplane.processes import end_with_parent
from hack.kind import tools
from hack.kind.settings import read_settings

POLICY = Path(__file__).parent / "audit-policy.yaml"
OPERATOR_NAMESPACE = "payment-operator-system"
ACCOUNT = f"system:serviceaccount:{OPERATOR_NAMESPACE}:payment-operator"
ISSUER = "https://kubernetes.default.svc.cluster.local"
START_SECONDS, STOP_SECONDS = 60.0, 15.0
TRIES = 3


@dataclass(frozen=True)
class User:
    """Somebody who asks the API server, by a token; `uid` tells two operators of one account apart."""

    name: str
    uid: str
    group: str

    @property
    def token(self) -> str:
        """Known to nobody else, for the server listens on loopback and lives as long as a test."""
        return f"token-{self.uid}"


PERSON = User("person", "person", "system:masters")
CONTROLLERS = User("controllers", "controllers", "system:masters")
OPERATORS = tuple(User(ACCOUNT, f"operator-{n}", "system:serviceaccounts") for n in range(12))


class ControlPlane:
    """Started by `start`, gone after `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self._programs: list[subprocess.Popen[bytes]] = []

    @property
    def ca(self) -> Path:
        """The certificate that the API server made for itself."""
        return self.folder / "apiserver.crt"

    @property
    def audit_log(self) -> Path:
        """One JSON document for each request."""
        return self.folder / "audit.log"

    def start(self) -> None:
        """Return when the API server is ready. Raises RuntimeError with the log's end."""
        for left in reversed(range(TRIES)):
            try:
                return self._start()
            except RuntimeError:
                # Somebody may have taken one of the ports meanwhile.
                if not left:
                    raise
                shutil.rmtree(self.folder / "etcd", ignore_errors=True)

    def _start(self) -> None:
        binaries = built()
        client, peer, secure = free_ports(3)
        self.url = f"https://127.0.0.1:{secure}"
        self._keys()
        etcd = f"http://127.0.0.1:{client}"
        self._run(
            "etcd",
            str(binaries / "etcd"),
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
            "--unsafe-no-fsync",
            "--log-level=error",
        )
        self._run(
            "kube-apiserver",
            str(binaries / "kube-apiserver"),
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={secure}",
            f"--cert-dir={self.folder}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/16",
            f"--service-account-issuer={ISSUER}",
            f"--service-account-key-file={self.folder / 'sa.pub'}",
            f"--service-account-signing-key-file={self.folder / 'sa.key'}",
            f"--audit-policy-file={POLICY}",
            f"--audit-log-path={self.audit_log}",
            "--endpoint-reconciler-type=none",
            "--profiling=false",
        )
        self._wait()

    def stop(self) -> None:
        """End both; the folder stays for a look."""
        for program in reversed(self._programs):
            program.send_signal(signal.SIGTERM)
            try:
                program.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait(STOP_SECONDS)
        self._programs.clear()

    def log(self, name: str) -> Path:
        """Where a program writes."""
        return self.folder / f"{name}.log"

    def _run(self, name: str, *command: str) -> None:
        with self.log(name).open("wb") as output:
            self._programs.append(
                subprocess.Popen(
                    command,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    preexec_fn=end_with_parent,
                )
            )

    def _keys(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        (self.folder / "sa.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (self.folder / "sa.pub").write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        lines = [
            f'{user.token},{user.name},{user.uid},"{user.group}"'
            for user in (PERSON, CONTROLLERS, *OPERATORS)
        ]
        (self.folder / "tokens.csv").write_text("\n".join(lines) + "\n")

    def _wait(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        headers = {"Authorization": f"Bearer {PERSON.token}"}
        # The certificate to trust is only being made.
        with httpx.Client(verify=False, headers=headers, timeout=2) as client:
            while time.monotonic() < give_up and all(item.poll() is None for item in self._programs):
                try:
                    if client.get(f"{self.url}/readyz").status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(0.1)
        self.stop()
        said = self.log("kube-apiserver").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"the API server is not ready within {START_SECONDS:.0f} s: {said}")


@cache
def built() -> Path:
    """The folder with etcd, kube-apiserver, kube-controller-manager and helm; what is missing is built."""
    place = read_settings(os.environ, Path.home()).cache
    names = ("etcd", "kube-apiserver", "kube-controller-manager", "helm")
    wanted = tuple(tool for tool in (*tools.CLI, *tools.NODE) if tool.name in names)
    tools.ensure(place, wanted, ", ".join(names))
    return place.bin


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(item.getsockname()[1]) for item in held]
    finally:
        for item in held:
            item.close()
