"""Waiting for a cluster: API server, pod network, nodes, DNS and storage."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hack.kind import docker, kubectl, network, nodes
from hack.kind.proc import CommandFailed, Failure
from hack.kind.settings import Settings
from hack.progress import Step

API_SECONDS = 90.0
ADDRESSES_SECONDS = 60.0
READY_SECONDS = 180.0
DNS_SECONDS = 60.0
SYSTEM_NAMESPACES = ("kube-system", "local-path-storage")


def wait_until(done: Callable[[], bool], seconds: float, failure: str, pause: float = 0.5) -> None:
    """Polls; raises Failure with those words when it is not done in time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise Failure(f"{failure} within {seconds:.0f} s")
        time.sleep(pause)


def wait_for_api(settings: Settings, current: Step) -> None:
    if not kubectl.api_answers(settings):
        current.note(f"waiting for the API server, at most {API_SECONDS:.0f} s")
        wait_until(lambda: kubectl.api_answers(settings), API_SECONDS, "the API server did not answer", 1)


def settle(settings: Settings, current: Step, *, own_network: bool) -> None:
    """Returns when pods can be run and resolve names. Raises Failure and CommandFailed.

    `since`: when the node containers were started. What the API server knows after a restart is older than
    that at first; a container counts only when it began later.
    """
    kubectl.ensure_context(settings, current)
    if own_network:
        current.note("pod network")
        network.apply(_pod_networks(settings))
    current.note("waiting for the nodes to be Ready, DNS and storage Available")
    since = {node.name: node.started for node in nodes.of_cluster(settings.cluster)}
    lacking: list[str] = []

    def settled() -> bool:
        pods = [pod for name in SYSTEM_NAMESPACES for pod in _get(settings, "pods", "-n", name)["items"]]
        lacking[:] = unready(_get(settings, "nodes")["items"], pods, since)
        return not lacking

    try:
        wait_until(settled, READY_SECONDS, "the cluster was not Ready", 1)
    except Failure as error:
        raise Failure(f"{error}; it waits for {', '.join(lacking)}") from None
    address = _get(settings, "service", "kube-dns", "-n", "kube-system")["spec"]["clusterIP"]
    metrics = f"http://{address}:9153/metrics"
    wait_until(lambda: _answers_http(settings, metrics), DNS_SECONDS, "the DNS Service did not answer")


def unready(items: list[dict[str, Any]], pods: list[dict[str, Any]], since: dict[str, datetime]) -> list[str]:
    """Names of nodes that are not Ready and of system pods that are absent or not ready.

    `since`: when each node was started. What the API server knows right after a restart is older than that,
    so a container counts only when it began later.
    """
    found = [node["metadata"]["name"] for node in items if not _condition(node, "Ready")]
    names = [pod["metadata"]["name"] for pod in pods]
    for prefix, count in (("coredns-", 1), ("local-path-provisioner-", 1), ("kube-proxy-", len(since))):
        if sum(name.startswith(prefix) for name in names) < count:
            found.append(f"{prefix}…")
    for pod in pods:
        states = pod["status"].get("containerStatuses", [])
        began = [state["state"].get("running", {}).get("startedAt") for state in states if state["ready"]]
        node_began = since.get(pod["spec"].get("nodeName", ""))
        fresh = [moment for moment in began if moment and node_began and _moment(moment) >= node_began]
        if not states or len(fresh) < len(states):
            found.append(pod["metadata"]["name"])
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _condition(item: dict[str, Any], kind: str) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    return any(condition["type"] == kind and condition["status"] == "True" for condition in conditions)


def _get(settings: Settings, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kubectl.run_kubectl(settings, "get", *arguments, "-o", "json"))
    return found


def _pod_networks(settings: Settings) -> list[network.NodeNetwork]:
    """Each node's part of the network; on a new cluster it takes some seconds until all are given out."""
    addresses = {node.name: node.address for node in nodes.of_cluster(settings.cluster)}
    found: list[network.NodeNetwork] = []

    def complete() -> bool:
        found[:] = network.parse_nodes(_get(settings, "nodes")["items"], addresses) or []
        return len(found) == len(addresses)

    wait_until(complete, ADDRESSES_SECONDS, "the nodes were given no pod addresses")
    return found


def _answers_http(settings: Settings, url: str) -> bool:
    """Whether a Service answers the control-plane node, so that pod, network and proxy work."""
    try:
        docker.execute(settings.control_plane, "curl", "-fsS", "-m", "3", "-o", "/dev/null", url)
    except CommandFailed:
        return False
    return True
