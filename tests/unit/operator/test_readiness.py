"""Readiness of Deployments, StatefulSets, Jobs; pods that cannot start."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from payment_operator.manifest import Manifest
from payment_operator.readiness import broken_pods, ready_replicas, unready
from tests.unit.operator.builders import Object, deployment, job, stateful_set, wanted

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"observedGeneration": 0}, "rolls out"),
        ({"updatedReplicas": 0}, "rolls out (0/1 pods updated)"),
        ({"availableReplicas": 0}, "pods ready"),
        ({"replicas": 2}, "ends 1 old pods"),
    ],
)
def test_a_deployment_that_is_not_there_yet(extra: dict[str, int], words: str) -> None:
    assert words in str(unready(deployment("a", **extra)[1]))


def test_ready_ones() -> None:
    assert unready(deployment("a")[1]) is None
    assert unready(deployment("a", ready=0, wanted_pods=0)[1]) is None
    assert unready(stateful_set("a")[1]) is None
    assert unready(job("a", "x")[1]) is None
    assert unready(wanted("ConfigMap", "a").body) is None


@pytest.mark.parametrize("make", [deployment, stateful_set])
def test_one_that_was_scaled_away_is_not_ready(make: Callable[..., tuple[Manifest, Object]]) -> None:
    item, _ = make("a", wanted_pods=2)
    _, live = make("a", ready=0, wanted_pods=0)
    assert ready_replicas(live, item.body) == (0, 2)
    assert str(unready(live, item.body)).endswith("/a has 0/2 pods ready")
    # An autoscaler owns the number, and an autoscaler does not wake what was scaled to 0.
    autoscaled = item.body | {"spec": {}}
    assert ready_replicas(live, autoscaled) == (0, 1) and unready(live, autoscaled)
    none, _ = make("a", wanted_pods=0)
    assert unready(live, none.body) is None, "declared so"
    # More than there are is a change that waits, which is told elsewhere.
    assert unready(make("a")[1], item.body) is None


def test_a_new_deployment_without_a_status_is_not_ready() -> None:
    item, live = deployment("a")
    assert unready({**live, "status": {}}) is not None


def test_jobs() -> None:
    assert unready(job("a", "x", state="Running")[1]) == "Job/a runs"
    assert unready(job("a", "x", state="Failed")[1]) == "Job/a failed: BackoffLimitExceeded"


def pod(status: dict[str, Any], age: float = 300.0, **metadata: Any) -> dict[str, Any]:
    created = (NOW - timedelta(seconds=age)).isoformat().replace("+00:00", "Z")
    return {"metadata": {"name": "p", "creationTimestamp": created} | metadata, "status": status}


def waiting(reason: str, where: str = "containerStatuses") -> dict[str, Any]:
    return {where: [{"state": {"waiting": {"reason": reason, "message": "so\n it is"}}}]}


def test_broken_containers_and_init_containers() -> None:
    assert broken_pods([pod(waiting("ImagePullBackOff"))], NOW) == {"p": "ImagePullBackOff: so it is"}
    assert broken_pods([pod(waiting("CrashLoopBackOff", "initContainerStatuses"))], NOW)


def test_pods_that_only_start_or_go_are_not_broken() -> None:
    assert broken_pods([pod(waiting("ContainerCreating"))], NOW) == {}
    going = pod(waiting("ImagePullBackOff"), deletionTimestamp="2026-01-01T11:00:00Z")
    assert broken_pods([going], NOW) == {}


def test_a_pod_without_a_node_counts_after_half_a_minute() -> None:
    unplaced = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no memory"}
    status = {"phase": "Pending", "conditions": [unplaced]}
    assert broken_pods([pod(status, age=10)], NOW) == {}
    assert broken_pods([pod(status, age=40)], NOW) == {"p": "Unschedulable: no memory"}
