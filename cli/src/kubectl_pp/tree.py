"""A platform as a tree of lines: what it is, how it is, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Object = dict[str, Any]
#: Conditions whose healthy status is False.
INVERTED = frozenset({"Progressing", "Degraded"})
COMPONENT_LABEL = "app.kubernetes.io/component"


def ready(platform: Object) -> bool:
    """Whether a payment can be made."""
    return bool(condition(platform, "Ready").get("status") == "True")


def conditions(platform: Object) -> list[Object]:
    """The conditions, or none."""
    found: list[Object] = platform.get("status", {}).get("conditions", [])
    return found


def condition(platform: Object, kind: str) -> Object:
    """The condition of this type; {} when it is not there."""
    return next((item for item in conditions(platform) if item["type"] == kind), {})


def unhealthy(platform: Object) -> list[Object]:
    """Conditions that need attention."""
    return [item for item in conditions(platform) if mark(item) == "✗"]


def mark(item: Object) -> str:
    """✓ as it should be, ✗ not so, · not known or in the course of things."""
    if item["status"] == "Unknown":
        return "·"
    well = item["status"] == ("False" if item["type"] in INVERTED else "True")
    return "✓" if well else "·" if item["type"] == "Progressing" else "✗"


def tree(platform: Object, workloads: Sequence[Object], pods: Sequence[Object]) -> Iterator[str]:
    """The lines. `workloads` are Deployments and StatefulSets of the platform."""
    metadata, status = platform["metadata"], platform.get("status", {})
    spec = platform.get("spec", {})
    yield (
        f"PaymentPlatform {metadata['namespace']}/{metadata['name']}  profile {spec.get('profile', '?')}, "
        f"version {status.get('version', 'not installed')}"
    )
    found = conditions(platform)
    yield from _branch("conditions", [_condition(item) for item in found] or ["none: does the operator run?"])
    stateful = [item for item in workloads if item["kind"] == "StatefulSet"]
    yield from _branch("dependencies", [_workload(item, pods) for item in stateful] or ["external"])
    services = [item for item in workloads if item["kind"] == "Deployment"]
    yield from _branch(
        f"services {status.get('services', {}).get('ready', '')}".rstrip(),
        [_workload(item, pods) for item in services],
        last=True,
    )


def _branch(title: str, lines: Sequence[str], *, last: bool = False) -> Iterator[str]:
    yield f"{'└' if last else '├'}─ {title}"
    for number, line in enumerate(lines):
        yield f"{' ' if last else '│'}  {'└' if number == len(lines) - 1 else '├'}─ {line}"


def _condition(item: Object) -> str:
    text = f"{mark(item)} {item['type']}: {item['reason']}"
    return text if mark(item) == "✓" else f"{text}: {item['message']}"


def _workload(item: Object, pods: Sequence[Object]) -> str:
    name, status = item["metadata"]["name"], item.get("status", {})
    wanted, there = item["spec"].get("replicas", 1), status.get("readyReplicas", 0)
    own = [pod for pod in pods if pod["metadata"].get("labels", {}).get("app.kubernetes.io/name") == name]
    troubles = sorted({trouble for pod in own for trouble in _troubles(pod)})
    restarts = sum(
        entry.get("restartCount", 0)
        for pod in own
        for entry in pod.get("status", {}).get("containerStatuses", [])
    )
    notes = [*troubles, *([f"{restarts} restarts"] if restarts else [])]
    return f"{'✓' if there >= wanted else '✗'} {name} {there}/{wanted}" + (
        f"  ({', '.join(notes)})" if notes else ""
    )


def _troubles(pod: Object) -> Iterator[str]:
    for entry in pod.get("status", {}).get("containerStatuses", []):
        waiting = entry.get("state", {}).get("waiting")
        if waiting and waiting.get("reason") not in ("ContainerCreating", "PodInitializing"):
            yield str(waiting.get("reason"))
    for item in pod.get("status", {}).get("conditions", []):
        if item["type"] == "PodScheduled" and item["status"] == "False":
            yield "not scheduled"
