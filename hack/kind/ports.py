"""The access points on localhost: which ports they take, and who holds a port that is taken."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hack.kind.proc import Failure

LISTENING = "0A"


@dataclass(frozen=True)
class AccessPoint:
    name: str
    port: int
    node_port: int


ACCESS_POINTS = (
    AccessPoint("load balancer", 8080, 30080),
    AccessPoint("Jaeger", 16686, 30686),
    AccessPoint("Prometheus", 9090, 30909),
    AccessPoint("Grafana", 3000, 30300),
    AccessPoint("dashboards", 5601, 30561),
    AccessPoint("PostgreSQL", 5432, 30432),
    AccessPoint("Redis", 6379, 30379),
)


def mapping(offset: int) -> dict[int, int]:
    """Port on localhost -> NodePort. Raises Failure for an offset that leads out of the range of ports."""
    mapped = {point.port + offset: point.node_port for point in ACCESS_POINTS}
    if max(mapped) > 65535:
        raise Failure(
            f"PORT_OFFSET={offset} puts a port beyond 65535; choose at most {65535 - max(mapping(0))}"
        )
    return mapped


def is_free(port: int) -> bool:
    """Whether a server could listen on that port of localhost now."""
    if port > 65535:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def require_free(offset: int, ours: Iterable[int] = ()) -> None:
    """Raises Failure that names every port of an access point that somebody else holds."""
    held = set(ours)
    taken = [
        point
        for point in ACCESS_POINTS
        if point.port + offset not in held and not is_free(point.port + offset)
    ]
    if not taken:
        return
    lines = [f"  {point.port + offset} ({point.name}): {holder(point.port + offset)}" for point in taken]
    raise Failure(
        "ports on localhost that the cluster needs are taken; nothing was started:\n"
        + "\n".join(lines)
        + f"\nStop what holds them, or move all ports: PORT_OFFSET={free_offset(offset)} make up"
    )


def free_offset(taken: int) -> int:
    """The next round offset under which all ports are free at the moment."""
    candidates = [offset for offset in range(10000, 45000, 5000) if offset != taken]
    free = (offset for offset in candidates if all(is_free(point.port + offset) for point in ACCESS_POINTS))
    return next(free, candidates[0])


def listening_inodes(table: str, port: int) -> set[str]:
    """Socket inodes that listen on the port, from the text of /proc/net/tcp or tcp6 (see proc(5))."""
    found = set()
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == LISTENING and int(fields[1].rsplit(":", 1)[1], 16) == port:
            found.add(fields[9])
    return found


def holder(port: int) -> str:
    """Words for the process that listens on the port; who it is can only be seen by its user and by root."""
    inodes: set[str] = set()
    for name in ("tcp", "tcp6"):
        table = Path("/proc/net") / name
        if table.exists():
            inodes |= listening_inodes(table.read_text(), port)
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            descriptors = list((process / "fd").iterdir())
            if any(os.readlink(descriptor) in wanted for descriptor in descriptors):
                words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
                return f"held by process {process.name}: {' '.join(words).strip()[:100]}"
        except OSError:  # the process is gone, or not ours to look at
            continue
    return "held by a process that cannot be seen from here"
