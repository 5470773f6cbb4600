"""Faults of a kind cluster, made in its nodes: an API server that is away, packets that get lost.

Each is lifted by `lift`, which may be called at any time and as often as one likes.
"""

import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hack.kind import docker, nodes
from hack.kubectl import Cluster
from tests.support.chaos.waiting import seconds_until
from tests.support.pods import process_of

MANIFEST, AWAY = "/etc/kubernetes/manifests/kube-apiserver.yaml", "/etc/kubernetes/kube-apiserver.away"
CHAIN = "PP-CHAOS"
#: The API server as its pods address it, and in /proc/net/tcp: port 443, an established connection.
API_PORT, ESTABLISHED = 443, "01"


def lift(cluster: Cluster) -> None:
    """Take back every fault of this module, and every cordon."""
    plane = cluster.settings.control_plane
    docker.execute(plane, "sh", "-c", f"test ! -e {AWAY} || mv {AWAY} {MANIFEST}")
    for node in nodes.of_cluster(cluster.settings.cluster):
        _let_pass(node.name)
    seconds_until(lambda: answers(cluster), 240, "an API server that answers")
    for item in cluster.get("nodes")["items"]:
        if item["spec"].get("unschedulable"):
            cluster.kubectl("uncordon", item["metadata"]["name"])


def answers(cluster: Cluster) -> bool:
    """Whether the API server is ready. Raises what kubectl raises while there is none."""
    return cluster.kubectl("get", "--raw=/readyz", "--request-timeout=3s", timeout=10).strip() == "ok"


def silent(cluster: Cluster) -> bool:
    """Whether the API server does not answer."""
    try:
        return not answers(cluster)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return True


@contextmanager
def api_server_away(cluster: Cluster) -> Iterator[None]:
    """No API server runs in the block; at its end there is one that answers."""
    plane = cluster.settings.control_plane
    docker.execute(plane, "mv", MANIFEST, AWAY)
    try:
        seconds_until(lambda: _stopped(plane), 60, "an API server that is away")
        yield
    finally:
        docker.execute(plane, "sh", "-c", f"test ! -e {AWAY} || mv {AWAY} {MANIFEST}")
        seconds_until(lambda: answers(cluster), 240, "an API server that answers")


def _stopped(plane: str) -> bool:
    """Kill it; whether none runs any more. The kubelet may not have seen yet that it shall not run."""
    found = docker.execute(plane, "sh", "-c", "pgrep -x kube-apiserver || true").split()
    if found:
        docker.execute(plane, "sh", "-c", f"kill -s KILL {' '.join(found)} || true")
        time.sleep(0.5)
    return not found


def connections(pod: dict[str, Any]) -> list[int]:
    """The pod's own ports of its connections to the API server."""
    node, pid = pod["spec"]["nodeName"], process_of(pod)
    assert pid is not None, f"{pod['metadata']['name']} does not run"
    # Of its network namespace, which is the pod's.
    table = docker.execute(node, "sh", "-c", f"cat /proc/{pid}/net/tcp /proc/{pid}/net/tcp6")
    return ports(table)


def ports(table: str) -> list[int]:
    """Local ports of established connections to the API server, from /proc/net/tcp, see proc(5)."""
    found = set()
    for line in table.splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[3] == ESTABLISHED and int(fields[2].rpartition(":")[2], 16) == API_PORT:
            found.add(int(fields[1].rpartition(":")[2], 16))
    return sorted(found)


def silence(pod: dict[str, Any], own_ports: Sequence[int]) -> None:
    """Drop the packets of these connections, of all of the pod's to the API server when there are none."""
    address = pod["status"]["podIP"]
    # Forwarded packets to a Service have its pods' addresses already; the API server listens on 6443 there.
    pairs = [(f"--sport {port}", f"--dport {port}") for port in own_ports] or [
        ("--dport 6443", "--sport 6443")
    ]
    rules = [
        rule
        for there, back in pairs
        for rule in (f"-s {address} -p tcp {there} -j DROP", f"-d {address} -p tcp {back} -j DROP")
    ]
    node = pod["spec"]["nodeName"]
    _let_pass(node)
    lines = [
        "set -eu",
        f"iptables -w -N {CHAIN}",
        *(f"iptables -w -A {CHAIN} {rule}" for rule in rules),
        f"iptables -w -I FORWARD -j {CHAIN}",
    ]
    docker.execute(node, "sh", "-c", "\n".join(lines))


def dropped(node: str) -> int:
    """Packets that were dropped so far."""
    listing = docker.execute(node, "iptables", "-w", "-nvxL", CHAIN)
    return sum(int(line.split()[0]) for line in listing.splitlines()[2:] if line.split())


def _let_pass(node: str) -> None:
    name = shlex.quote(CHAIN)
    remove = f"iptables -w -D FORWARD -j {name}; iptables -w -F {name}; iptables -w -X {name}"
    docker.execute(node, "sh", "-c", f"({remove}) 2>/dev/null; true")
