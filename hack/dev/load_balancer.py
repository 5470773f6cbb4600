"""nginx with the chart's own configuration, in front of the local gateway."""

import os
import subprocess
from pathlib import Path

import yaml

from hack.dev.catalog import REPOSITORY
from hack.dev.containers import reference

CHART = REPOSITORY / "charts/payment-platform"
NAME = "payments-dev-load-balancer"


def configuration(helm: str) -> dict[str, str]:
    """The data of the load balancer's ConfigMap as the chart renders it. Raises CalledProcessError."""
    command = [helm, "template", "dev", str(CHART), "--set", "profile=dev"]
    rendered = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    for document in yaml.safe_load_all(rendered):
        if document and document["kind"] == "ConfigMap" and document["metadata"]["name"] == "load-balancer":
            data: dict[str, str] = document["data"]
            return data
    raise LookupError("the chart renders no ConfigMap load-balancer")


def start(folder: Path, helm: str, *, gateway_port: int, port: int, token: str) -> None:
    """Run nginx on the loopback's `port`, with the host's network."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in configuration(helm).items():
        text = text.replace("api-gateway:3000", f"127.0.0.1:{gateway_port}").replace("8080", str(port))
        (folder / name).write_text(text)
    token_folder = folder / "token"
    token_folder.mkdir(exist_ok=True)
    (token_folder / "token").write_text(token)
    stop()
    subprocess.run(
        [
            "docker",
            "run",
            "--detach",
            "--network=host",
            f"--name={NAME}",
            "--user=101",
            "--tmpfs=/tmp:mode=1777",
        ]
        + [f"--volume={folder}:/etc/payment-platform/nginx:ro"]
        + [f"--volume={token_folder}:/etc/payment-platform/token:ro", "--entrypoint=sh", reference("nginx")]
        + ["/etc/payment-platform/nginx/start.sh"],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ,
    )


def stop() -> None:
    """Remove the container."""
    subprocess.run(["docker", "rm", "--force", NAME], check=False, capture_output=True)
