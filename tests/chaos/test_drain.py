"""A node is drained: no service is ever without a ready pod, and payments go through."""

import asyncio
import time
from collections import Counter

import pytest

from hack.kubectl import Cluster
from hack.up import NAMESPACE
from tests.chaos.conftest import Paying
from tests.e2e.conftest import Note
from tests.support import pods
from tests.support.chaos import platform
from tests.support.chaos.endpoints import Endpoints
from tests.support.faults.proof import proven
from tests.support.faults.world import World

#: Their data lies on the disk of the node where they began.
KEEPERS = {"postgres", "redis", "kafka"}
DRAIN_SECONDS = 300


def spread(cluster: Cluster, node: str) -> None:
    """See to it that services run on `node`: an earlier drain has put all pods elsewhere."""
    for name in sorted(platform.services(cluster)):
        found = pods.of(cluster, name)
        if all(pod["spec"]["nodeName"] != node for pod in found):
            cluster.kubectl("-n", NAMESPACE, "delete", "pod", found[0]["metadata"]["name"], "--wait=false")
    time.sleep(3)  # until the Deployments' status tells of it
    platform.ready(cluster)


def drained(cluster: Cluster, endpoints: Endpoints, node: str) -> str:
    """Drain the node as an administrator would, wait, uncordon it."""
    there = Counter(pods.name_of(pod) for pod in pods.running(cluster) if pod["spec"]["nodeName"] == node)
    services = platform.services(cluster)
    moved = sum(count for name, count in there.items() if name in services)
    assert moved >= len(services) // 2, f"{node} runs only {dict(there)}"
    began = time.monotonic()
    cluster.kubectl(
        *("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={DRAIN_SECONDS}s"),
        timeout=DRAIN_SECONDS + 30,
    )
    took = time.monotonic() - began
    left = [pod for pod in pods.running(cluster) if pod["spec"]["nodeName"] == node]
    assert not left, [pod["metadata"]["name"] for pod in left]
    time.sleep(10)  # what follows the last eviction is watched, too
    cluster.kubectl("uncordon", node)
    platform.ready(cluster)
    assert endpoints.watching, "the watch ended: changes may have been missed"
    least = {name: endpoints.least[name] for name in services}
    assert min(least.values()) >= 1, f"without a ready pod: {least}"
    assert endpoints.changes > moved, "the watch saw little"
    return f"{moved} pods moved in {took:.0f} s, never fewer than {min(least.values())} ready of any service"


@pytest.mark.timeout(1200)
async def test_10_a_drained_node_leaves_a_pod_of_each_service(
    cluster: Cluster, world: World, paying: Paying, note: Note
) -> None:
    keeping = {pod["spec"]["nodeName"] for pod in pods.running(cluster) if pods.name_of(pod) in KEEPERS}
    free = [node for node in platform.workers(cluster) if node not in keeping]
    assert free, f"data is kept on every worker ({sorted(keeping)}): make chaos-down chaos"
    await asyncio.to_thread(spread, cluster, free[0])
    async with paying() as load:
        with Endpoints(cluster) as endpoints:
            told = await asyncio.to_thread(drained, cluster, endpoints, free[0])
    note(f"{told}; {await proven(world, load)}")
