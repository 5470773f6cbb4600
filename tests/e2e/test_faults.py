"""Pods and processes of the running platform are killed at random while customers pay.

FAULTS_SEED repeats a run; `make soak` sets FAULTS_SIZE for a long one.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest

from hack.kubectl import Cluster, wait_ready
from hack.up import NAME, NAMESPACE
from tests.support.faults import zeros
from tests.support.faults.sizes import rng, seed, sizes
from tests.support.faults.world import World

PART = "app.kubernetes.io/part-of=payment-platform"
# A message whose sender was killed goes out when its claim has run out, a minute later.
TOLD_WITHIN = 150.0


def running(cluster: Cluster) -> list[dict[str, Any]]:
    """Pods of the platform's workloads that run now; Jobs' are not among them."""
    pods = cluster.get("-n", NAMESPACE, "pods", "-l", PART, "--field-selector=status.phase=Running")
    return [
        pod
        for pod in pods["items"]
        if pod["metadata"]["ownerReferences"][0]["kind"] != "Job"
        and not pod["metadata"].get("deletionTimestamp")
    ]


def delete(cluster: Cluster, pod: dict[str, Any]) -> None:
    """Force-delete a pod: its processes get no time to end."""
    name = pod["metadata"]["name"]
    cluster.kubectl("-n", NAMESPACE, "delete", "pod", name, "--grace-period=0", "--force", "--wait=false")


def sigkill(pod: dict[str, Any]) -> None:
    """SIGKILL the pod's first container in its node; the kubelet starts it again in the same pod."""
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
    script = 'kill -9 "$(crictl inspect --output go-template --template "{{.info.pid}}" "$0")"'
    command = ["docker", "exec", pod["spec"]["nodeName"], "sh", "-c", script, container]
    subprocess.run(command, check=False, capture_output=True, timeout=60)


async def kill_at_random(cluster: Cluster, dice: random.Random, seconds: float) -> Counter[str]:
    """One workload after the other, each as often as the others; how often by which way."""
    kills: Counter[str] = Counter()
    order: list[str] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pods = {
            pod["metadata"]["labels"]["app.kubernetes.io/name"]: pod
            for pod in await asyncio.to_thread(running, cluster)
        }
        if not order:
            order = sorted(pods)
            dice.shuffle(order)
        if (pod := pods.get(name := order.pop())) is None:
            continue
        if dice.random() < 0.5:
            kills[f"{name} pod"] += 1
            await asyncio.to_thread(delete, cluster, pod)
        else:
            kills[f"{name} process"] += 1
            await asyncio.to_thread(sigkill, pod)
        await asyncio.sleep(dice.uniform(0.5, 2.5))
    return kills


async def in_kafka(cluster: Cluster, topic: str) -> set[str]:
    """Ids of all events of a topic."""
    records = await asyncio.to_thread(
        cluster.kubectl,
        *("-n", NAMESPACE, "exec", "kafka-0", "--", "/opt/kafka/bin/kafka-console-consumer.sh"),
        *("--bootstrap-server", "kafka:9092", "--topic", topic, "--from-beginning", "--timeout-ms", "8000"),
    )
    return {json.loads(line)["id"] for line in records.splitlines() if line.startswith("{")}


@pytest.mark.timeout(0)
async def test_kills_under_load_lose_and_double_nothing(
    cluster: Cluster, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    number, size = seed(), sizes()
    dice = rng("cluster", number)
    load = await world.load(dice)
    paying = asyncio.create_task(load.for_seconds(size.cluster_seconds, size.cluster_rate))
    kills = await kill_at_random(cluster, rng("pods", number), size.cluster_seconds)
    await asyncio.to_thread(wait_ready, cluster, NAMESPACE, NAME, 300, lambda _: None)
    healed = time.monotonic()
    await paying
    ended = time.monotonic() - healed
    with capsys.disabled():
        sys.stdout.write(f"\nseed={number} kills={dict(kills)} ends={dict(load.counts())}\n")
    settled = await world.nothing_open()
    told = await world.everything_told(TOLD_WITHIN)
    found = await world.violations({**zeros.MONEY, **zeros.EFFECTS})
    rows = await world.sql(zeros.EVENTS)
    topics = ("payment-events", "notification-events")
    read = await asyncio.gather(*(in_kafka(cluster, topic) for topic in topics))
    missing = {
        topic: {row["event_id"] for row in rows if row["topic"] == topic} - ids
        for topic, ids in zip(topics, read, strict=True)
    }
    with capsys.disabled():
        sys.stdout.write(
            f"clients_done_s={ended:.1f} nothing_open_s={settled:.1f} told_s={told:.1f} events={len(rows)}"
            f" statuses={dict(world.told.statuses)}\n"
        )
    assert not found, found
    assert not any(missing.values()), missing
    assert not world.told.undocumented, world.told.undocumented[:10]
    assert ended < 60, "the clients waited too long for their answers"
    await world.every_end_is_true(load.outcomes)
