"""Figures of a running cluster: time to Ready, sizes of the images."""

from __future__ import annotations

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


def image_sizes(references: Iterable[str]) -> dict[str, float]:
    """Uncompressed size in MB of images that Docker has."""
    sizes = {}
    for reference in references:
        command = ["docker", "image", "inspect", "--format", "{{.Size}}", reference]
        found = subprocess.run(command, check=False, capture_output=True, text=True)
        if found.returncode == 0:
            sizes[reference] = int(found.stdout) / 1e6
    return sizes
