"""Further versions for a running operator: copies of the chart under another number, mounted beside its own.

Their images are those of the sample under another tag, which the nodes get by renaming; one version names a
tag that does not exist, one has a migration that fails, one has services that do not start.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from hack.kubectl import Cluster
from hack.up import NAME, NAMESPACE, OPERATOR_NAMESPACE, REPOSITORY

CHART = REPOSITORY / "charts" / "payment-platform"
MOUNT = "/charts/versions"
PREFIX = "e2e-version-"
TAG = "0.2.0-test"
IMAGE = "docker.io/payment-platform/services"
Files = dict[str, str]


def _nothing(_: Files) -> None:
    """The version is as good as the one that it is a copy of."""


@dataclass(frozen=True)
class Version:
    """A version of the test's: its number, the tag of its images, and what is wrong with it."""

    number: str
    tag: str = TAG
    spoil: Callable[[Files], None] = _nothing


def _fails_to_migrate(files: Files) -> None:
    failing = "[python3, -c, \"raise SystemExit('this migration always fails')\"]"
    files["files/runtimes.yaml"] = files["files/runtimes.yaml"].replace(
        "[python3, -m, payments.migrate]", failing
    )


def _fails_to_start(files: Files) -> None:
    failing = "[python3, -c, \"raise SystemExit('this service never starts')\"]"
    files["files/runtimes.yaml"] = files["files/runtimes.yaml"].replace(
        "[python3, -m, payments.run]", failing
    )


GOOD = Version("0.2.0-test")
NO_IMAGE = Version("0.2.1-noimage", tag="0.2.1-noimage")
NO_MIGRATION = Version("0.2.2-nomigration", spoil=_fails_to_migrate)
NO_START = Version("0.2.3-nostart", spoil=_fails_to_start)


def chart(version: Version) -> Files:
    """The chart's files by path, as another version that may follow this tree's."""
    files = {
        path.relative_to(CHART).as_posix(): path.read_text()
        for path in sorted(CHART.rglob("*"))
        if path.is_file() and path.name != "REFERENCE.md"
    }
    about = yaml.safe_load(files["Chart.yaml"])
    own = ".".join(str(about["version"]).split(".")[:2])
    about |= {"version": version.number, "appVersion": version.tag}
    about["annotations"] |= {"paymentplatform.dev/upgrades-from": own}
    files["Chart.yaml"] = yaml.safe_dump(about)
    # The load balancer rolls too: its image is the same, its configuration is not.
    files["files/nginx/nginx.conf"] += f"# {version.number}\n"
    before = dict(files)
    version.spoil(files)
    assert files != before or version.spoil is _nothing, "nothing was spoiled"
    return files


def wait(check: Callable[[], Any], seconds: float, what: str) -> Any:
    """What `check` answers once that is true. Fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.5)
    return found


def platform(cluster: Cluster) -> dict[str, Any]:
    """The sample as it is now."""
    return cluster.get("-n", NAMESPACE, "paymentplatform", NAME)


def patch(cluster: Cluster, change: dict[str, Any], *options: str) -> None:
    """A JSON merge patch of the sample."""
    command = ["-n", NAMESPACE, "patch", "pp", NAME, "--type=merge", *options, "-p", json.dumps(change)]
    cluster.kubectl(*command)


def ended(cluster: Cluster, version: Version, seconds: float) -> dict[str, Any]:
    """`status.upgrade` once the upgrade to `version` has ended."""

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = platform(cluster)["status"].get("upgrade", {})
        mine = found.get("to", "").startswith(version.number)
        return found if mine and found["phase"] in ("Done", "RolledBack") else None

    result: dict[str, Any] = wait(look, seconds, f"the end of the upgrade to {version.number}")
    return result


@contextmanager
def carried(cluster: Cluster, *versions: Version) -> Iterator[None]:
    """An operator that carries these versions too; afterwards the sample and the operator are as before."""
    before = platform(cluster)
    tag = before["spec"]["image"]["tag"]
    for node in _nodes(cluster):
        rename = ["ctr", "-n", "k8s.io", "images", "tag", "--force", f"{IMAGE}:{tag}", f"{IMAGE}:{TAG}"]
        subprocess.run(["docker", "exec", node, *rename], check=True, capture_output=True, timeout=60)
    deployment = ["-n", OPERATOR_NAMESPACE, "deployment/payment-operator"]
    old = json.loads(cluster.kubectl("get", *deployment, "-o", "json"))["spec"]["template"]["spec"]
    # Without what an interrupted run may have left.
    kept_mounts, kept_volumes = (
        [item for item in items if not item["name"].startswith(PREFIX)]
        for items in (old["containers"][0]["volumeMounts"], old["volumes"])
    )
    mounts, volumes = list(kept_mounts), list(kept_volumes)
    for index, version in enumerate(versions):
        mount, volume = _mounted(cluster, f"{PREFIX}{index}", version)
        mounts.append(mount)
        volumes.append(volume)
    try:
        _operator(cluster, mounts, volumes)
        yield
    finally:
        try:
            _turn_back(cluster, before)
        finally:
            _operator(cluster, kept_mounts, kept_volumes)
            names = [f"configmap/{PREFIX}{index}" for index in range(len(versions))]
            cluster.kubectl("-n", OPERATOR_NAMESPACE, "delete", "--ignore-not-found", *names)


def _turn_back(cluster: Cluster, before: dict[str, Any]) -> None:
    """There is no way down but by hand: here both versions are the same but for their names."""
    change = {key: before["status"].get(key) for key in ("version", "release", "lastGood")}
    if platform(cluster)["status"]["version"] != before["status"]["version"]:
        patch(cluster, {"spec": {"paused": True}})
        wait(lambda: _written_back(cluster, change), 60, "the old version in status")
    image = {"image": {"tag": before["spec"]["image"]["tag"]}}
    patch(cluster, {"spec": {"version": before["spec"].get("version"), "paused": None, **image}})


def _written_back(cluster: Cluster, change: dict[str, Any]) -> bool:
    """Write the status, and see that no look of the operator that began before writes over it."""
    found = platform(cluster)
    if found["status"].get("observedGeneration") != found["metadata"]["generation"]:
        return False
    # A merge patch would leave in lastGood what the newer one had.
    patch(cluster, {"status": {"lastGood": None, "upgrade": None}}, "--subresource=status")
    patch(cluster, {"status": change}, "--subresource=status")
    time.sleep(2)
    return {key: platform(cluster)["status"].get(key) for key in change} == change


def _mounted(cluster: Cluster, name: str, version: Version) -> tuple[dict[str, Any], dict[str, Any]]:
    files = chart(version)
    keys = {f"file-{index}": path for index, path in enumerate(sorted(files))}
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": OPERATOR_NAMESPACE},
        "data": {key: files[path] for key, path in keys.items()},
    }
    cluster.apply(body)
    items = [{"key": key, "path": path} for key, path in keys.items()]
    mount = {"name": name, "mountPath": f"{MOUNT}/{version.number}", "readOnly": True}
    return mount, {"name": name, "configMap": {"name": name, "items": items}}


def _operator(cluster: Cluster, mounts: list[Any], volumes: list[Any]) -> None:
    change = [
        {"op": "replace", "path": "/spec/template/spec/containers/0/volumeMounts", "value": mounts},
        {"op": "replace", "path": "/spec/template/spec/volumes", "value": volumes},
    ]
    target = ["-n", OPERATOR_NAMESPACE, "deployment/payment-operator"]
    cluster.kubectl("patch", *target, "--type=json", "-p", json.dumps(change))
    cluster.kubectl("rollout", "status", *target, "--timeout=120s", timeout=130)


def _nodes(cluster: Cluster) -> list[str]:
    command = [
        "docker",
        "ps",
        "--filter",
        f"label=io.x-k8s.kind.cluster={cluster.settings.cluster}",
        "--format",
        "{{.Names}}",
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.split()
