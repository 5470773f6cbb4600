"""The images' contract, tried for real: one script for each, run in a container as a pod would be.

The same script is for the public image and its stand-in (the public ones of the observability group have no
bash, so there it is for stand-ins alone): read-only root, no capabilities, the image's own
user, no network but the loopback.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from hack.images import docker
from hack.images.catalog import Image
from hack.kind.proc import CommandFailed, Failure, run
from hack.progress import Step

CHECK_SECONDS = 300.0
SCRIPTS = Path(__file__).resolve().parent / "checks"
# What the scripts have in common: asking a server by HTTP.
HELPERS = SCRIPTS / "http.bash"
# A script that fails says what its servers logged.
PROLOGUE = "trap 'code=$?; set +x; [ $code = 0 ] || tail -n 5 /tmp/*.log >&2' EXIT\n"


@dataclass(frozen=True)
class Setting:
    """How a container is run: as whom, which folders can be written (owned by that user), its memory."""

    user: str
    writable: tuple[str, ...] = ()
    memory: str = "1g"


SETTINGS = {
    "operator": Setting("10001:10001"),
    "services": Setting("10001:10001"),
    "python": Setting("10001:10001"),
    "postgres": Setting("999:999", ("/var/lib/postgresql/data", "/var/run/postgresql")),
    "redis": Setting("999:999", ("/data",)),
    "kafka": Setting("1000:1000", ("/var/lib/kafka/data", "/opt/kafka/logs")),
    "nginx": Setting("101:101"),
    "jaeger": Setting("10001:10001"),
    "otel-collector": Setting("10001:10001"),
    "opensearch": Setting("1000:1000", ("/usr/share/opensearch/data", "/usr/share/opensearch/logs"), "1536m"),
    "influxdb": Setting("1000:1000", ("/var/lib/influxdb2", "/etc/influxdb2")),
    "prometheus": Setting("65534:65534", ("/prometheus",)),
    "postgres-exporter": Setting("65534:65534", memory="128m"),
    "redis-exporter": Setting("59000:59000", memory="128m"),
    "nginx-exporter": Setting("1001:1001", memory="128m"),
    "jmx-exporter": Setting("1001:1001", memory="256m"),
}


def container_command(name: str, reference: str, setting: Setting) -> list[str]:
    """The docker call that runs a script from its standard input in a container called `name`."""
    command = ["docker", "run", "--rm", "--interactive", "--name", name, "--network", "none"]
    # Without a network only this name can be resolved, and Java looks up its own.
    command += ["--hostname", "localhost", "--read-only"]
    command += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", setting.user]
    command += ["--memory", setting.memory, "--pids-limit", "500", "--tmpfs", "/tmp:exec,mode=1777"]
    uid, gid = setting.user.split(":")
    for folder in setting.writable:
        command += ["--tmpfs", f"{folder}:exec,uid={uid},gid={gid},mode=0700"]
    return [*command, "--entrypoint", "bash", reference, "-eux", "-o", "pipefail"]


def check(current: Step, image: Image) -> None:
    """Runs the image's script. Raises Failure with the script's output when it fails."""
    present = docker.inspect(image.reference)
    if present is None:
        raise Failure(f"{image.reference} is missing; run `python3 -m hack.images build {image.name}`")
    script = PROLOGUE + HELPERS.read_text() + (SCRIPTS / f"{image.name}.sh").read_text()
    name = f"image-check-{image.name}-{uuid.uuid4().hex[:8]}"
    command = container_command(name, image.reference, SETTINGS[image.name])
    try:
        run(command, timeout=CHECK_SECONDS, stdin=script.encode())
    except CommandFailed as error:
        raise Failure(f"{image.reference} fails hack/images/checks/{image.name}.sh: {error}") from None
    finally:
        run(["docker", "rm", "--force", name], timeout=docker.ASK_SECONDS, check=False)
    current.done("stand-in passed" if present.is_standin else "passed")
