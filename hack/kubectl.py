"""kubectl and helm on the local cluster's own context, never on whatever is current."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.kind.settings import Settings, read_settings


@dataclass(frozen=True)
class Cluster:
    """The local kind cluster."""

    settings: Settings

    @classmethod
    def from_environment(cls) -> Cluster:
        """The cluster that the environment's settings name."""
        return cls(read_settings(os.environ, Path.home()))

    def environment(self) -> dict[str, str]:
        """The environment with our tools first on PATH."""
        path = f"{self.settings.cache.bin}{os.pathsep}{os.environ.get('PATH', '')}"
        return {**os.environ, "PATH": path}

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 120) -> str:
        """Run kubectl and return its output. Raises CalledProcessError with stderr."""
        return self._run(["kubectl", "--context", self.settings.context, *arguments], stdin, timeout)

    def helm(self, *arguments: str, timeout: float = 300) -> str:
        """Run helm and return its output. Raises CalledProcessError with stderr."""
        return self._run(["helm", "--kube-context", self.settings.context, *arguments], None, timeout)

    def offline(self, *command: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Run one of our tools where it asks no cluster; there may be none yet."""
        return self._run(command, stdin, timeout)

    def get(self, *arguments: str) -> dict[str, Any]:
        """`kubectl get … -o json`, parsed."""
        result: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return result

    def exists(self, *arguments: str) -> bool:
        """True when `kubectl get` finds the object."""
        return bool(self.kubectl("get", *arguments, "--ignore-not-found", "-o", "name").strip())

    def apply(self, *objects: dict[str, Any]) -> str:
        """Server-side apply of objects."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        return self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(items))

    def namespace(self, name: str) -> None:
        """Create a namespace that enforces the restricted Pod Security Standard, or keep it."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})

    def sql(self, namespace: str, statement: str, **variables: str) -> list[list[str]]:
        """Rows of a query as PostgreSQL's superuser, through the pod's local socket.

        Args:
            variables: psql's own: `:'name'` in the statement becomes a quoted literal.
        """
        # psql replaces variables in what it reads from standard input, not in --command.
        options = [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
        output = self.kubectl(
            *("-n", namespace, "exec", "-i", "postgres-0", "-c", "postgres", "--"),
            *("psql", "-U", "postgres", "-d", "payment_db", "-AtX", "-F", "\t"),
            *("-v", "ON_ERROR_STOP=1", *options),
            stdin=statement,
        )
        return [line.split("\t") for line in output.splitlines()]

    def _run(self, command: Sequence[str], stdin: str | None, timeout: float) -> str:
        return subprocess.run(
            command,
            input=stdin,
            env=self.environment(),
            check=True,
            capture_output=True,
            text=True,
            timeout=timeout,
        ).stdout


def condition(resource: dict[str, Any], kind: str) -> dict[str, str]:
    """A condition of an object's status; {} when it is not there."""
    conditions: list[dict[str, str]] = resource.get("status", {}).get("conditions", [])
    return next((entry for entry in conditions if entry["type"] == kind), {})


#: A version that is refused for so long is not just one that was put right a moment ago.
REFUSED_SECONDS = 20.0


def wait_ready(cluster: Cluster, namespace: str, name: str, seconds: float, tell: Any) -> dict[str, Any]:
    """Wait until a PaymentPlatform is Ready and nothing of it rolls any more; returns it.

    Raises:
        TimeoutError: it is not Ready in time; the message holds its conditions.
        RuntimeError: an upgrade failed and was rolled back, or is refused.
    """
    settled = time.monotonic()
    end = settled + seconds
    told = ""
    platform: dict[str, Any] = {}
    while time.monotonic() < end:
        platform = cluster.get("-n", namespace, "paymentplatform", name)
        ready = condition(platform, "Ready")
        degraded = condition(platform, "Degraded")
        observed = platform.get("status", {}).get("observedGeneration")
        progressing = condition(platform, "Progressing")
        current = observed == platform["metadata"]["generation"]
        if current and degraded.get("reason") == "UpgradeFailed" and progressing.get("status") == "False":
            raise RuntimeError(degraded["message"])
        refused = current and degraded.get("reason") == "UnsupportedJump"
        if not refused:
            settled = time.monotonic()
        elif time.monotonic() - settled > REFUSED_SECONDS:
            raise RuntimeError(degraded["message"])
        if not refused and (ready.get("status"), progressing.get("status")) == ("True", "False") and current:
            return platform
        if ready.get("status") == "True":
            ready = progressing
        message = f"{ready.get('reason', 'waiting for the operator')}: {ready.get('message', '')}"
        if message != told:
            tell(message)
            told = message
        time.sleep(1)
    conditions = json.dumps(platform.get("status", {}).get("conditions", []), indent=1)
    raise TimeoutError(f"{namespace}/{name} is not Ready after {seconds:.0f} s:\n{conditions}")
