"""Connections that really happen between pods, and what the cluster's NetworkPolicies allow."""

import subprocess
from collections.abc import Iterable
from typing import Any, NamedTuple

from hack.kubectl import Cluster

NAME = "app.kubernetes.io/name"
_ESTABLISHED, _TIME_WAIT, _LISTEN = "01", "06", "0A"


class Flow(NamedTuple):
    """Workload `client` speaks to workload `server` on its TCP port."""

    client: str
    server: str
    port: int


def pods(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    """The running pods of a namespace but for those of Jobs, which come and go."""
    items: list[dict[str, Any]] = cluster.get("-n", namespace, "pods")["items"]
    return [
        pod
        for pod in items
        if pod["status"]["phase"] == "Running" and "podIP" in pod["status"] and not _of_a_job(pod)
    ]


def _of_a_job(pod: dict[str, Any]) -> bool:
    return any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences", []))


def seen(cluster: Cluster, namespace: str) -> set[Flow]:
    """Flows of this moment, from the socket tables of both ends.

    A closed connection stays for a minute in the table of the end that closed it first. The node reads the
    tables, for not every image has a program that could.
    """
    running = pods(cluster, namespace)
    names = {pod["status"]["podIP"]: pod["metadata"]["labels"][NAME] for pod in running}
    behind = services(cluster.get("-n", namespace, "services")["items"], running)
    flows = set()
    for table in tables(_on_the_node(cluster, TABLES)):
        for local, port, remote in accepted(table):
            if remote in names and local in names and remote != local:
                flows.add(Flow(names[remote], names[local], port))
        for local, remote, port in initiated(table):
            server, at = behind.get((remote, port)) or (names.get(remote), port)
            if local in names and server is not None and server != names[local]:
                flows.add(Flow(names[local], server, at))
    return flows


def services(
    items: list[dict[str, Any]], running: list[dict[str, Any]]
) -> dict[tuple[str, int], tuple[str, int]]:
    """By a Service's address and port: the workload behind it, and the port that its pods listen on."""
    named = {
        (pod["metadata"]["labels"][NAME], port.get("name")): port["containerPort"]
        for pod in running
        for container in pod["spec"]["containers"]
        for port in container.get("ports", [])
    }
    return {
        (item["spec"]["clusterIP"], port["port"]): (
            workload,
            target if isinstance(target, int) else named[at],
        )
        for item in items
        if (workload := item["spec"].get("selector", {}).get(NAME)) and item["spec"]["clusterIP"] != "None"
        for port in item["spec"]["ports"]
        if isinstance(target := port["targetPort"], int) or (at := (workload, target)) in named
    }


#: The socket tables of all network namespaces, each once, after a line that begins with `ns`.
TABLES = """for process in /proc/[0-9]*; do
  name=$(readlink $process/ns/net 2>/dev/null) || continue
  case " $done " in *" $name "*) continue ;; esac
  done="$done $name"
  echo "ns $name"
  cat $process/net/tcp $process/net/tcp6 2>/dev/null
done"""


def _on_the_node(cluster: Cluster, script: str) -> str:
    command = ["docker", "exec", cluster.settings.control_plane, "sh", "-c", script]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def tables(text: str) -> list[str]:
    """The socket tables in what TABLES printed."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("ns "):
            found.append([])
        else:
            found[-1].append(line)
    return ["\n".join(lines) for lines in found]


def accepted(table: str) -> set[tuple[str, int, str]]:
    """Own IPv4 address, own listening port and remote address, of connections in /proc/net/tcp and tcp6."""
    rows = [row for line in table.splitlines() if len(row := line.split()) > 3 and ":" in row[1]]
    listening = {row[1].rpartition(":")[2] for row in rows if row[3] == _LISTEN}
    return {
        (address(row[1].rpartition(":")[0]), int(port, 16), address(row[2].rpartition(":")[0]))
        for row in rows
        if row[3] in (_ESTABLISHED, _TIME_WAIT) and (port := row[1].rpartition(":")[2]) in listening
    }


def initiated(table: str) -> set[tuple[str, str, int]]:
    """Own IPv4 address, remote address and port, of connections that were made from here."""
    rows = [row for line in table.splitlines() if len(row := line.split()) > 3 and ":" in row[1]]
    listening = {row[1].rpartition(":")[2] for row in rows if row[3] == _LISTEN}
    return {
        (address(row[1].rpartition(":")[0]), address(remote), int(port, 16))
        for row in rows
        if row[3] in (_ESTABLISHED, _TIME_WAIT) and row[1].rpartition(":")[2] not in listening
        for remote, _, port in [row[2].rpartition(":")]
    }


def address(hexadecimal: str) -> str:
    """Dotted IPv4 of the kernel's little-endian hexadecimal, also of an IPv4-mapped IPv6 address."""
    return ".".join(str(byte) for byte in reversed(bytes.fromhex(hexadecimal[-8:])))


def allowed(cluster: Cluster, namespace: str, ports: Iterable[int]) -> set[Flow]:
    """Flows between workloads that the policies let through in both directions, on these ports."""
    policies = cluster.get("-n", namespace, "networkpolicies")["items"]
    workloads = {
        pod["metadata"]["labels"][NAME]: pod["metadata"]["labels"] for pod in pods(cluster, namespace)
    }
    return {
        Flow(client, server, port)
        for client, client_labels in workloads.items()
        for server, server_labels in workloads.items()
        for port in ports
        if client != server
        and passes(policies, "egress", "to", client_labels, server_labels, port)
        and passes(policies, "ingress", "from", server_labels, client_labels, port)
    }


def passes(
    policies: list[dict[str, Any]],
    direction: str,
    peers: str,
    own: dict[str, str],
    other: dict[str, str],
    port: int,
) -> bool:
    """One direction by the rules of networking.k8s.io/v1: no policy that selects the pod lets all through."""
    kind = direction.capitalize()
    selecting = [
        policy["spec"]
        for policy in policies
        if kind in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], own)
    ]
    rules = [rule for spec in selecting for rule in spec.get(direction, [])]
    return not selecting or any(
        any(entry.get("port") == port and entry.get("protocol", "TCP") == "TCP" for entry in rule["ports"])
        and any("podSelector" in peer and selects(peer["podSelector"], other) for peer in rule.get(peers, []))
        for rule in rules
    )


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """True when a selector of labels matches; the chart uses matchLabels alone."""
    assert set(selector) <= {"matchLabels"}, "extend this to matchExpressions"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
