"""make trace PAYMENT=<id>: `kubectl pp trace` on the local cluster's sample platform."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from hack.kubectl import Cluster
from hack.up import NAMESPACE, REPOSITORY


def main(arguments: Sequence[str]) -> int:
    """The exit status of the command."""
    cluster = Cluster.from_environment()
    environment = cluster.environment() | {"PYTHONPATH": str(REPOSITORY / "cli/src")}
    command = [sys.executable, "-m", "kubectl_pp", "--context", cluster.settings.context]
    command += ["--namespace", os.environ.get("NAMESPACE", NAMESPACE), "trace", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
