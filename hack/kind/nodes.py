"""The containers that are the cluster's nodes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hack.kind import docker, ports
from hack.kind.proc import CommandFailed, run

CLUSTER_LABEL = "io.x-k8s.kind.cluster"
ROLE_LABEL = "io.x-k8s.kind.role"
# Written into the control-plane node when kind has finished; it lives and dies with the container.
MARKER = "/kind/payment-platform.json"


@dataclass(frozen=True)
class Node:
    name: str
    role: str
    running: bool
    image: str
    host_ports: dict[int, int]  # port on localhost -> port in the node
    started: datetime  # to the second, UTC
    address: str  # in the nodes' network; empty while stopped


def parse(description: dict[str, Any]) -> Node:
    """From one object of `docker inspect`."""
    networks = description["NetworkSettings"]["Networks"]
    bindings = description["HostConfig"].get("PortBindings") or {}
    return Node(
        name=description["Name"].lstrip("/"),
        role=description["Config"]["Labels"].get(ROLE_LABEL, ""),
        running=bool(description["State"]["Running"]),
        image=description["Config"]["Image"],
        host_ports={
            int(entry["HostPort"]): int(inside.partition("/")[0])
            for inside, entries in bindings.items()
            for entry in entries or []
            if entry.get("HostPort")
        },
        started=datetime.fromisoformat(description["State"]["StartedAt"]).replace(microsecond=0),
        address=next((entry["IPAddress"] for entry in networks.values() if entry.get("IPAddress")), ""),
    )


def of_cluster(name: str) -> list[Node]:
    """All containers of that kind cluster, running or not, the control plane first."""
    command = ["docker", "ps", "-a", "--filter", f"label={CLUSTER_LABEL}={name}", "--format", "{{.Names}}"]
    names = run(command, timeout=docker.ASK_SECONDS).stdout.split()
    found = [parse(description) for description in docker.inspect(names)]
    return sorted(found, key=lambda node: (node.role != "control-plane", node.name))


def port_offset(found: list[Node]) -> int | None:
    """What PORT_OFFSET was when the cluster was made; None when no access point is mapped."""
    mapped = {inside: host for node in found for host, inside in node.host_ports.items()}
    for point in ports.ACCESS_POINTS:
        if point.node_port in mapped:
            return mapped[point.node_port] - point.port
    return None


def held_ports(found: list[Node]) -> set[int]:
    """Ports of localhost that the running nodes hold."""
    return {host for node in found if node.running for host in node.host_ports}


def read_marker(control_plane: str) -> dict[str, Any] | None:
    """What write_marker wrote; None when the cluster was never finished (or nothing can be read)."""
    try:
        content = json.loads(docker.execute(control_plane, "cat", MARKER))
    except (CommandFailed, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_marker(control_plane: str, content: dict[str, Any]) -> None:
    text = json.dumps(content, sort_keys=True) + "\n"
    docker.execute(
        control_plane, "sh", "-c", f"cat > {MARKER}.new && mv {MARKER}.new {MARKER}", stdin=text.encode()
    )
