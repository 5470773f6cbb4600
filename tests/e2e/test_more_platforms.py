"""A second platform beside the first, one without the operator, and what deletion leaves."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hack.client import Client, pay, wait_until_up
from hack.kubectl import Cluster, condition, wait_ready
from hack.progress import say
from hack.up import NAME, NAMESPACE, REPOSITORY
from tests.e2e.conftest import Note

SECOND = "e2e-second"
PLAIN = "e2e-plain-helm"


@contextmanager
def forwarded(cluster: Cluster, namespace: str) -> Iterator[Client]:
    """A client of the load balancer in `namespace` through kubectl port-forward."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["kubectl", "--context", cluster.settings.context, "-n", namespace, "port-forward"]
    process = subprocess.Popen(
        [*command, "service/load-balancer", f"{port}:8080"],
        env=cluster.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        client = Client(f"http://127.0.0.1:{port}")
        wait_until_up(client, 60)
        yield client
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def namespace(cluster: Cluster, name: str) -> Iterator[str]:
    """A namespace of the test's own, gone afterwards."""
    cluster.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=true", timeout=180)
    cluster.namespace(name)
    try:
        yield name
    finally:
        cluster.kubectl("delete", "namespace", name, "--wait=false")


def image_tag(cluster: Cluster) -> str:
    """The tag of the images that the sample runs."""
    platform = cluster.get("-n", NAMESPACE, "paymentplatform", NAME)
    return str(platform["spec"]["image"]["tag"])


def leftovers(cluster: Cluster, name: str) -> set[str]:
    """Every object in the namespace but what Kubernetes itself puts into each, and events."""
    kinds = cluster.kubectl("api-resources", "--verbs=list", "--namespaced", "-o", "name").split()
    kinds = [kind for kind in kinds if not kind.startswith("events") and "metrics.k8s.io" not in kind]
    found = cluster.kubectl("-n", name, "get", ",".join(kinds), "--ignore-not-found", "-o", "name").split()
    return set(found) - {"configmap/kube-root-ca.crt", "serviceaccount/default"}


def test_a_second_platform_comes_up_pays_and_leaves_nothing(cluster: Cluster, note: Note) -> None:
    with namespace(cluster, SECOND):
        for name in ("second", "too-many"):
            cluster.apply(
                {
                    "apiVersion": "paymentplatform.dev/v1alpha1",
                    "kind": "PaymentPlatform",
                    "metadata": {"name": name, "namespace": SECOND},
                    "spec": {"profile": "dev", "image": {"tag": image_tag(cluster)}},
                }
            )
            if name == "second":
                declared = time.monotonic()
            time.sleep(1.5)  # the oldest wins, and ages have a resolution of a second
        wait_ready(cluster, SECOND, "second", 420, say)
        took = time.monotonic() - declared
        with forwarded(cluster, SECOND) as client:
            client.login("demo", "password123")
            payment = pay(client, amount=500, from_account="ACC001", to_account="ACC002")
        rows = cluster.sql(
            SECOND, f"SELECT count(*) FROM accounts.transfers WHERE payment_id = '{payment['id']}'"
        )
        assert rows == [["1"]]
        younger = condition(cluster.get("-n", SECOND, "paymentplatform", "too-many"), "Ready")
        assert (younger["status"], younger["reason"]) == ("False", "Conflict")

        cluster.kubectl("-n", SECOND, "delete", "paymentplatform", "--all", "--wait=true", timeout=60)
        deadline = time.monotonic() + 90
        while (left := leftovers(cluster, SECOND)) and time.monotonic() < deadline:
            time.sleep(2)
        assert left == set()
        note(f"Ready {took:.0f} s after its declaration, beside another platform; it pays")


@pytest.fixture(scope="module")
def plain(cluster: Cluster) -> Iterator[str]:
    """A platform installed by Helm alone."""
    with namespace(cluster, PLAIN) as name:
        cluster.helm(
            *("install", "plain", str(REPOSITORY / "charts/payment-platform"), "--namespace", name),
            *("--set", "profile=dev", "--set", f"image.tag={image_tag(cluster)}"),
            *("--wait", "--wait-for-jobs", "--timeout", "420s"),
            timeout=450,
        )
        yield name


def test_helm_alone_brings_up_a_platform_that_pays(cluster: Cluster, plain: str) -> None:
    deployments = cluster.get("-n", plain, "deployments")["items"]
    assert len(deployments) == 11
    assert all(condition(item, "Available")["status"] == "True" for item in deployments)
    restarts = [
        (pod["metadata"]["name"], container["restartCount"])
        for pod in cluster.get("-n", plain, "pods")["items"]
        for container in pod["status"].get("containerStatuses", [])
    ]
    assert [entry for entry in restarts if entry[1] > 0] == []
    with forwarded(cluster, plain) as client:
        client.login("demo", "password123")
        payment = pay(client, amount=700, from_account="ACC001", to_account="ACC002")
    assert payment["status"] == "succeeded"


def test_helm_upgrade_changes_no_secret(cluster: Cluster, plain: str) -> None:
    def secrets() -> str:
        items = cluster.get("-n", plain, "secrets")["items"]
        kept = [item for item in items if item["type"] != "helm.sh/release.v1"]
        return json.dumps([(item["metadata"]["uid"], item["data"]) for item in kept], sort_keys=True)

    before = secrets()
    cluster.helm(
        *("upgrade", "plain", str(REPOSITORY / "charts/payment-platform"), "--namespace", plain),
        *("--reuse-values", "--wait", "--timeout", "300s"),
    )
    assert secrets() == before
