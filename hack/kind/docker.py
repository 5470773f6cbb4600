"""What we ask of the Docker client."""

from __future__ import annotations

import json
from typing import Any

from hack.kind.proc import Failure, run

ASK_SECONDS = 30.0


def has_image(image: str) -> bool:
    return run(["docker", "image", "inspect", image], timeout=ASK_SECONDS, check=False).returncode == 0


def image_id(image: str) -> str:
    """`sha256:…` of the image's configuration. Raises Failure when the engine does not hold the image."""
    result = run(["docker", "image", "inspect", "-f", "{{.Id}}", image], timeout=ASK_SECONDS, check=False)
    if result.returncode != 0:
        raise Failure(f"the Docker Engine holds no image {image}; build or pull it first")
    return result.stdout.strip()


def inspect(containers: list[str]) -> list[dict[str, Any]]:
    """`docker inspect` of containers that exist."""
    if not containers:
        return []
    found: list[dict[str, Any]] = json.loads(
        run(["docker", "inspect", *containers], timeout=ASK_SECONDS).stdout
    )
    return found


def execute(container: str, *command: str, stdin: bytes | None = None, timeout: float = ASK_SECONDS) -> str:
    """Output of a command in a container. Raises CommandFailed."""
    flags = ["-i"] if stdin is not None else []
    return run(["docker", "exec", *flags, container, *command], stdin=stdin, timeout=timeout).stdout
