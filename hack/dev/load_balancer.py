"""nginx with the chart's own files, in front of the local gateway."""

import shutil
import subprocess
from pathlib import Path

from hack.dev.catalog import REPOSITORY
from hack.dev.containers import reference

FILES = REPOSITORY / "charts/payment-platform/files/nginx"
MOUNTED = "/etc/payment-platform"
HEALTH_PORT_OFFSET = 1000


def start(folder: Path, name: str, *, gateway_port: int, port: int, token: str) -> None:
    """Run nginx on the loopback's `port` as container `name`, with the host's network.

    Raises:
        subprocess.CalledProcessError: docker refused; its message is on stderr.
    """
    stop(name)
    shutil.copytree(FILES, folder / "nginx", dirs_exist_ok=True)
    (folder / "token").mkdir(parents=True, exist_ok=True)
    (folder / "token/token").write_text(token)
    variables = {
        "API_GATEWAY_URL": f"http://127.0.0.1:{gateway_port}",
        "LISTEN_ADDRESS": "127.0.0.1",
        "HTTP_PORT": str(port),
        "HEALTH_PORT": str(port + HEALTH_PORT_OFFSET),
    }
    subprocess.run(
        ["docker", "run", "--detach", "--network=host", f"--name={name}", "--user=101"]
        + ["--read-only", "--tmpfs=/tmp:mode=1777", f"--volume={folder}:{MOUNTED}:ro"]
        + [f"--env={key}={value}" for key, value in variables.items()]
        + ["--entrypoint=/bin/sh", reference("nginx"), f"{MOUNTED}/nginx/start.sh"],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def stop(name: str) -> None:
    """Remove the container."""
    subprocess.run(["docker", "rm", "--force", name], check=False, capture_output=True)
