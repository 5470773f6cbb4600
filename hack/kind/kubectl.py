"""kubectl against our cluster: from the machine by the named context, or inside the control-plane node."""

from __future__ import annotations

import os
import time
from pathlib import Path

from hack.kind import docker
from hack.kind.proc import CommandFailed, run
from hack.kind.settings import Settings
from hack.progress import Step

STALE_LOCK_SECONDS = 60.0


def run_kubectl(settings: Settings, *arguments: str, timeout: float = 60.0) -> str:
    """Output of kubectl in the cluster's own context, whatever the current one is. Raises CommandFailed."""
    program = str(settings.cache.bin / "kubectl")
    command = [program, "--context", settings.context, f"--request-timeout={int(timeout)}s", *arguments]
    return run(command, timeout=timeout + 5).stdout


def api_answers(settings: Settings) -> bool:
    """Whether the API server says that it is ready, asked in its node (no kubeconfig or port is involved)."""
    asked = (
        "kubectl",
        "--kubeconfig",
        "/etc/kubernetes/admin.conf",
        "--request-timeout=4s",
        "get",
        "--raw=/readyz",
    )
    try:
        return docker.execute(settings.control_plane, *asked, timeout=10).strip() == "ok"
    except CommandFailed:
        return False


def ensure_context(settings: Settings, current: Step) -> None:
    """Makes the user's kubeconfig lead to this cluster. Raises CommandFailed when it cannot."""
    try:
        run_kubectl(settings, "get", "--raw=/readyz", timeout=10)
    except CommandFailed:
        current.note(f"writing the context {settings.context} into the kubeconfig")
        clear_stale_lock()
        kind = str(settings.cache.bin / "kind")
        run([kind, "export", "kubeconfig", "--name", settings.cluster], timeout=60)
        run_kubectl(settings, "get", "--raw=/readyz", timeout=10)


def clear_stale_lock() -> None:
    """Removes the kubeconfig's lock when its holder must be dead: kind and kubectl hold it for moments."""
    first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    lock = Path(f"{first or Path.home() / '.kube' / 'config'}.lock")
    try:
        age = time.time() - lock.stat().st_mtime
    except OSError:
        return
    if age > STALE_LOCK_SECONDS:
        lock.unlink(missing_ok=True)
