"""Whether an object does what it is for, and if not, why and how to look. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Object = Mapping[str, Any]
UNSCHEDULABLE_AFTER = 30.0

#: Reasons of a waiting container that waiting alone does not cure.
BROKEN = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)


def unready(obj: Object, declared: Object | None = None) -> str | None:
    """None when the object is ready, else what it waits for. Kinds without readiness are ready.

    ``declared`` is what it is meant to be: one that was scaled away is not ready, though it asks for no pod.
    """
    kind = obj["kind"]
    check = {"Deployment": _deployment, "StatefulSet": _stateful_set, "Job": _job}.get(kind)
    reason = check(obj) if check else None
    if reason is None and declared is not None and kind in ("Deployment", "StatefulSet"):
        ready, wanted = ready_replicas(obj, declared)
        if ready < wanted:
            return f"{kind}/{obj['metadata']['name']} has {ready}/{wanted} pods ready"
    return reason


def failed_job(obj: Object) -> str | None:
    """Why a Job gave up, or None."""
    for condition in obj.get("status", {}).get("conditions", []):
        if condition["type"] == "Failed" and condition["status"] == "True":
            return str(condition.get("message") or condition.get("reason") or "failed")
    return None


def complete_job(obj: Object) -> bool:
    """Whether a Job ended well."""
    conditions = obj.get("status", {}).get("conditions", [])
    return any(item["type"] == "Complete" and item["status"] == "True" for item in conditions)


def broken_pods(pods: Iterable[Object], now: datetime) -> dict[str, str]:
    """Pods that cannot start, by name: the reason and the kubelet's message.

    One without a node counts after half a minute only, for a volume of its own may be in the making.
    """
    found: dict[str, str] = {}
    for pod in pods:
        if pod["metadata"].get("deletionTimestamp"):
            continue
        status = pod.get("status", {})
        containers = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
        for container in containers:
            waiting = container.get("state", {}).get("waiting") or {}
            if waiting.get("reason") in BROKEN:
                found[pod["metadata"]["name"]] = _one_line(
                    f"{waiting['reason']}: {waiting.get('message', '')}"
                )
        age = (now - datetime.fromisoformat(pod["metadata"]["creationTimestamp"])).total_seconds()
        if status.get("phase") == "Pending" and age > UNSCHEDULABLE_AFTER:
            for condition in status.get("conditions", []):
                if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
                    found[pod["metadata"]["name"]] = _one_line(
                        f"Unschedulable: {condition.get('message', '')}"
                    )
    return found


def ready_replicas(obj: Object, declared: Object | None = None) -> tuple[int, int]:
    """Ready and wanted pods of a Deployment or StatefulSet.

    Without any it wants as many as are ``declared``, one where an autoscaler decides: while the platform is
    paused nobody puts right what somebody scaled to 0.
    """
    wanted = int(obj["spec"].get("replicas", 1))
    if wanted == 0 and declared is not None:
        wanted = int(declared["spec"].get("replicas", 1))
    return int(obj.get("status", {}).get("readyReplicas", 0)), wanted


def _stale(obj: Object) -> bool:
    return int(obj.get("status", {}).get("observedGeneration", 0)) < int(obj["metadata"].get("generation", 0))


def _deployment(obj: Object) -> str | None:
    name, status = f"Deployment/{obj['metadata']['name']}", obj.get("status", {})
    ready, wanted = ready_replicas(obj)
    if _stale(obj) or status.get("updatedReplicas", 0) < wanted:
        return f"{name} rolls out ({status.get('updatedReplicas', 0)}/{wanted} pods updated)"
    if status.get("availableReplicas", 0) < wanted:
        return f"{name} has {ready}/{wanted} pods ready"
    if status.get("replicas", 0) > wanted:
        return f"{name} ends {status['replicas'] - wanted} old pods"
    return None


def _stateful_set(obj: Object) -> str | None:
    name, status = f"StatefulSet/{obj['metadata']['name']}", obj.get("status", {})
    ready, wanted = ready_replicas(obj)
    if _stale(obj) or status.get("updatedReplicas", 0) < wanted:
        return f"{name} rolls out ({status.get('updatedReplicas', 0)}/{wanted} pods updated)"
    return f"{name} has {ready}/{wanted} pods ready" if ready < wanted else None


def _job(obj: Object) -> str | None:
    name = f"Job/{obj['metadata']['name']}"
    if complete_job(obj):
        return None
    failure = failed_job(obj)
    return f"{name} failed: {failure}" if failure else f"{name} runs"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300].rstrip(": ")
