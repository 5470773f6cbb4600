"""A level of the logs changes in pods that run on: the kubelet brings the file, the service reads it."""

import json
import time
from collections.abc import Iterator

import pytest

from hack.kubectl import Cluster
from hack.up import NAME, NAMESPACE
from tests.e2e.conftest import Note

SERVICE = "kyc-service"
#: The kubelet renews a pod's volumes about once a minute, from a cache of about that age.
SECONDS = 200.0


def level(cluster: Cluster, wanted: str | None) -> None:
    """Declare the service's level; None: that of all."""
    patch = {"spec": {"services": {SERVICE: {"logLevel": wanted}}}}
    cluster.kubectl(
        *("-n", NAMESPACE, "patch", "paymentplatform", NAME, "--type=merge", "-p", json.dumps(patch))
    )


def running(cluster: Cluster) -> dict[str, tuple[str, int, int]]:
    """Of each pod of the services: its id, its restarts; and the generation of its Deployment."""
    pods = cluster.get("-n", NAMESPACE, "pods", "-l", f"paymentplatform.dev/platform={NAME}")["items"]
    deployments = cluster.get("-n", NAMESPACE, "deployments")["items"]
    generations = {item["metadata"]["name"]: item["metadata"]["generation"] for item in deployments}
    found = {}
    for pod in pods:
        owner = pod["metadata"]["labels"]["app.kubernetes.io/name"]
        if owner in generations:
            restarts = sum(item["restartCount"] for item in pod["status"].get("containerStatuses", []))
            found[pod["metadata"]["name"]] = (pod["metadata"]["uid"], restarts, generations[owner])
    return found


def messages(cluster: Cluster, since: str) -> list[tuple[str, str]]:
    """Level and message of the service's lines from then on."""
    lines = cluster.kubectl(
        *("-n", NAMESPACE, "logs", f"deployment/{SERVICE}", f"--since-time={since}", "--tail=-1")
    )
    found = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    return [(line["level"], line["message"]) for line in found]


@pytest.fixture
def untouched(cluster: Cluster) -> Iterator[None]:
    """The service has no level of its own afterwards."""
    yield
    level(cluster, None)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.usefixtures("untouched")
def test_a_service_tells_more_without_a_restart(cluster: Cluster, note: Note) -> None:
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    before = running(cluster)
    assert before
    level(cluster, "DEBUG")
    began = time.monotonic()
    while ("INFO", "log level DEBUG instead of INFO") not in messages(cluster, since):
        assert time.monotonic() - began < SECONDS, messages(cluster, since)
        time.sleep(2)
    took = time.monotonic() - began
    time.sleep(15)  # at least one probe, which is told now
    assert ("DEBUG", "request") in messages(cluster, since)
    assert running(cluster) == before
    note(f"{SERVICE} follows its level after {took:.0f} s; {len(before)} pods run on")
