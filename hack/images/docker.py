"""The few things we ask of the Docker Engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hack.kind.proc import CommandFailed, Failure, run

ASK_SECONDS = 30.0
BUILD_SECONDS = 1800.0
PULL_SECONDS = 1800.0
PRUNE_SECONDS = 300.0

LABEL_STANDIN = "dev.paymentplatform.standin"
LABEL_INPUTS = "dev.paymentplatform.inputs"
LABEL_TITLE = "org.opencontainers.image.title"
LABEL_VERSION = "org.opencontainers.image.version"
# The engine that Debian 12 packages has the classic builder only; Dockerfiles and calls here work with it.
_CLASSIC = {"DOCKER_BUILDKIT": "0"}


@dataclass(frozen=True)
class Present:
    """An image that the engine has. `size` in bytes, shared layers included."""

    id: str
    size: int
    labels: Mapping[str, str]

    @property
    def is_standin(self) -> bool:
        return self.labels.get(LABEL_STANDIN) == "true"

    @property
    def inputs(self) -> str:
        return self.labels.get(LABEL_INPUTS, "")


def ensure_engine() -> None:
    """Raises Failure with the fix when no engine answers."""
    try:
        run(["docker", "version", "--format", "{{.Server.Version}}"], timeout=ASK_SECONDS)
    except CommandFailed as error:
        raise Failure(
            f"no Docker Engine answers; start it with `python3 -m hack.kind docker`\n{error.output}"
        ) from None


def parse_inspect(text: str) -> Present:
    """The first image of `docker image inspect`'s answer."""
    image = json.loads(text)[0]
    return Present(image["Id"], image["Size"], image["Config"].get("Labels") or {})


def inspect(reference: str) -> Present | None:
    """The image of that name, None when the engine has none."""
    result = run(["docker", "image", "inspect", reference], timeout=ASK_SECONDS, check=False)
    return parse_inspect(result.stdout) if result.returncode == 0 else None


def build(
    folder: Path, reference: str, labels: Mapping[str, str], arguments: Mapping[str, str], log: Path
) -> Present:
    """Builds `folder` (with its Dockerfile) under the name `reference`. Raises CommandFailed."""
    command = ["nice", "docker", "build", "--force-rm", "--tag", reference]
    for name, value in sorted(labels.items()):
        command += ["--label", f"{name}={value}"]
    for name, value in sorted(arguments.items()):
        command += ["--build-arg", f"{name}={value}"]
    run([*command, str(folder)], timeout=BUILD_SECONDS, environment=_CLASSIC, log=log)
    return _there(reference)


def pull(reference: str, log: Path) -> Present:
    """Pulls a public image. Raises CommandFailed."""
    run(["docker", "pull", "--quiet", reference], timeout=PULL_SECONDS, log=log)
    return _there(reference)


def tags(repository: str) -> list[str]:
    """The tags that the engine has of a repository, newest first."""
    return run(
        ["docker", "image", "ls", "--format", "{{.Tag}}", repository], timeout=ASK_SECONDS
    ).stdout.split()


def discard(image: str) -> None:
    """Removes a name; an image that a container uses stays, and that is no error."""
    run(["docker", "image", "rm", image], timeout=ASK_SECONDS, check=False)


def prune() -> None:
    """Removes images of ours that lost their name to a newer build and that nothing uses."""
    command = ["docker", "image", "prune", "--force", "--filter", f"label={LABEL_INPUTS}"]
    run(command, timeout=PRUNE_SECONDS, check=False)


def _there(reference: str) -> Present:
    if (present := inspect(reference)) is None:
        raise Failure(f"the engine has no {reference} although it said so; look at `docker images`")
    return present
