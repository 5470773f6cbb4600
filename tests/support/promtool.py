"""Prometheus' own tools, from the image of Prometheus that the platform runs."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def ensure_images(*names: str) -> None:
    """Have the named images of hack/images, pulled or built; a second when they are there.

    Raises:
        subprocess.CalledProcessError: they cannot be had; the reason is on stderr.
    """
    subprocess.run(
        [sys.executable, "-m", "hack.images", "build", *names], cwd=REPOSITORY, check=True, timeout=900
    )


@cache
def reference(name: str) -> str:
    """repository:tag of an image of hack/images."""
    command = [sys.executable, "-m", "hack.images", "refs", name]
    listed = subprocess.run(command, cwd=REPOSITORY, check=True, timeout=60, stdout=subprocess.PIPE)
    return str(json.loads(listed.stdout)[name])


def promtool(*arguments: str, folder: Path) -> str:
    """Run promtool with `folder` as its working directory, without a network; what it prints.

    Raises:
        AssertionError: it did not pass, with what it said.
    """
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=none", "--tmpfs=/tmp", f"--volume={folder}:/work:ro"]
        + ["--workdir=/work", "--entrypoint=promtool", reference("prometheus"), *arguments],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
