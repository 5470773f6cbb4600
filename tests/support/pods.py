"""Pods of running workloads and their processes, taken hold of from outside."""

from typing import Any

from hack.kind import docker
from hack.kind.proc import CommandFailed
from hack.kubectl import Cluster
from hack.up import NAMESPACE

PART = "app.kubernetes.io/part-of=payment-platform"


def running(cluster: Cluster, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    """Pods of the workloads that run now; Jobs' are not among them."""
    pods = cluster.get("-n", namespace, "pods", "-l", PART, "--field-selector=status.phase=Running")
    return [
        pod
        for pod in pods["items"]
        if pod["metadata"]["ownerReferences"][0]["kind"] != "Job"
        and not pod["metadata"].get("deletionTimestamp")
    ]


def of(cluster: Cluster, name: str, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    """Running pods of one workload, by name."""
    found = [pod for pod in running(cluster, namespace) if name_of(pod) == name]
    return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))


def name_of(pod: dict[str, Any]) -> str:
    """Of the workload."""
    return str(pod["metadata"]["labels"]["app.kubernetes.io/name"])


def delete(cluster: Cluster, pod: dict[str, Any]) -> None:
    """Force-delete a pod: its processes get no time to end."""
    place, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    cluster.kubectl("-n", place, "delete", "pod", name, "--grace-period=0", "--force", "--wait=false")


def process_of(pod: dict[str, Any]) -> int | None:
    """The first process of the pod's first container, by its number in the node; None when it has gone."""
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
    # Every node has ctr; crictl is in public node images only.
    listing = docker.execute(pod["spec"]["nodeName"], "ctr", "--namespace", "k8s.io", "tasks", "list")
    tasks = {fields[0]: int(fields[1]) for line in listing.splitlines()[1:] if (fields := line.split())}
    return tasks.get(container) or None


def signalled(pod: dict[str, Any], signal: str) -> bool:
    """Send a signal to the pod's first container in its node; False when it has gone meanwhile.

    After KILL the kubelet starts it again in the same pod.
    """
    process = process_of(pod)
    if process is None:
        return False
    try:
        docker.execute(pod["spec"]["nodeName"], "sh", "-c", f"kill -s {signal} {process}")
    except CommandFailed:
        return False
    return True


def sigkill(pod: dict[str, Any]) -> bool:
    """SIGKILL the pod's first container; False when it had gone."""
    return signalled(pod, "KILL")
