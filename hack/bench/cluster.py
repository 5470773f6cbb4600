"""Figures of a running cluster: time to Ready, memory of each pod, sizes of the images."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable

from hack.kubectl import Cluster, wait_ready
from hack.progress import say

NAMESPACE = "bench"


def seconds_to_ready(cluster: Cluster, tag: str) -> float:
    """From `kubectl apply` of a minimal resource to Ready=True, in a namespace that is made and removed."""
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=true", timeout=300)
    cluster.namespace(NAMESPACE)
    try:
        began = time.monotonic()
        cluster.apply(
            {
                "apiVersion": "paymentplatform.dev/v1alpha1",
                "kind": "PaymentPlatform",
                "metadata": {"name": "bench", "namespace": NAMESPACE},
                "spec": {"profile": "dev", "image": {"tag": tag}},
            }
        )
        wait_ready(cluster, NAMESPACE, "bench", 600, say)
        return time.monotonic() - began
    finally:
        cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def memory(cluster: Cluster, namespaces: Iterable[str]) -> dict[str, float]:
    """Working set in MiB by `namespace/workload` (the largest of its pods), from the kubelets' summary."""
    wanted = set(namespaces)
    found: dict[str, float] = {}
    for node in cluster.get("nodes")["items"]:
        path = f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary"
        for pod in json.loads(cluster.kubectl("get", "--raw", path))["pods"]:
            namespace = pod["podRef"]["namespace"]
            used = [c.get("memory", {}).get("workingSetBytes", 0) for c in pod.get("containers", [])]
            if namespace in wanted and sum(used):
                name = f"{namespace}/{_workload(pod['podRef']['name'])}"
                found[name] = max(found.get(name, 0.0), sum(used) / 2**20)
    return dict(sorted(found.items()))


def _workload(pod: str) -> str:
    """api-gateway of api-gateway-6d5f7c8b9-x2x4z; postgres of postgres-0."""
    parts = pod.split("-")
    if parts[-1].isdigit():
        return "-".join(parts[:-1])
    return "-".join(parts[:-2])


def image_sizes(references: Iterable[str]) -> dict[str, float]:
    """Uncompressed size in MB of images that Docker has."""
    sizes = {}
    for reference in references:
        command = ["docker", "image", "inspect", "--format", "{{.Size}}", reference]
        found = subprocess.run(command, check=False, capture_output=True, text=True)
        if found.returncode == 0:
            sizes[reference] = int(found.stdout) / 1e6
    return sizes
