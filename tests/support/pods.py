"""Pods of running workloads and their processes, taken hold of from outside."""

import subprocess
from typing import Any

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


def signalled(pod: dict[str, Any], signal: str) -> bool:
    """Send a signal to the pod's first container in its node; False when it has gone meanwhile.

    After KILL the kubelet starts it again in the same pod.
    """
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
    script = 'kill -s "$1" "$(crictl inspect --output go-template --template "{{.info.pid}}" "$0")"'
    command = ["docker", "exec", pod["spec"]["nodeName"], "sh", "-c", script, container, signal]
    return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0


def sigkill(pod: dict[str, Any]) -> None:
    """SIGKILL the pod's first container."""
    signalled(pod, "KILL")
