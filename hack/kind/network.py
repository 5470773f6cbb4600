"""The pod network of clusters whose node image brings none: a bridge on each node, routes between the nodes.

It carries pods and Services. It accepts NetworkPolicies and enforces none.
Source: the CNI plugins bridge, host-local and portmap, https://www.cni.dev/plugins/current/
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hack.kind import docker

# kind's default, which kubeadm hands out to the nodes in parts.
POD_SUBNET = "10.244.0.0/16"
SERVICE_SUBNET = "10.96.0.0/16"
CONFLIST = "/etc/cni/net.d/10-bridge.conflist"


@dataclass(frozen=True)
class NodeNetwork:
    name: str
    pod_cidr: str
    address: str


def parse_nodes(items: list[dict[str, Any]], addresses: dict[str, str]) -> list[NodeNetwork] | None:
    """From the items of `kubectl get nodes -o json`; None as long as a node waits for its pod addresses.

    `addresses` by node, from the Docker Engine: a restart changes them, and the API server hears of it late.
    """
    found = []
    for item in items:
        name = item["metadata"]["name"]
        cidr = item["spec"].get("podCIDR", "")
        if not cidr or not addresses.get(name):
            return None
        found.append(NodeNetwork(name, cidr, addresses[name]))
    return found


def conflist(pod_cidr: str) -> str:
    """The CNI configuration of one node."""
    plugins: list[dict[str, Any]] = [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipMasq": False,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": pod_cidr}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    return json.dumps({"cniVersion": "0.4.0", "name": "bridge", "plugins": plugins}, indent=1) + "\n"


def node_script(node: NodeNetwork, all_nodes: list[NodeNetwork]) -> str:
    """Shell commands that bring one node to the wanted state; the configuration comes by stdin. Repeatable.

    The file appears in one go, for the container runtime reads it as soon as it is there. Only what leaves
    the pods' network hides behind the node's address: between pods each keeps its own, as in kind's own
    network (the bridge plugin's ipMasq would hide what goes to other nodes, too).

    What still has a Service's address when it is forwarded met no rule of kube-proxy, which may be seconds
    late. It must not leave the node: whoever answers out there is not the Service.
    """
    masquerade = f"POSTROUTING -s {node.pod_cidr} ! -d {POD_SUBNET} -j MASQUERADE"
    refuse = f"FORWARD -d {SERVICE_SUBNET} -j REJECT"
    lines = [
        "set -eu",
        f"mkdir -p $(dirname {CONFLIST})",
        f"cat > {CONFLIST}.new",
        f"if cmp -s {CONFLIST}.new {CONFLIST}; then rm {CONFLIST}.new; else mv {CONFLIST}.new {CONFLIST}; fi",
        f"iptables -w -t nat -C {masquerade} 2>/dev/null || iptables -w -t nat -A {masquerade}",
        f"iptables -w -C {refuse} 2>/dev/null || iptables -w -I {refuse}",
    ]
    lines += [
        f"ip route replace {other.pod_cidr} via {other.address}"
        for other in all_nodes
        if other.name != node.name
    ]
    return "\n".join(lines) + "\n"


def apply(nodes: list[NodeNetwork]) -> None:
    """Brings every node to the wanted state; needed again after a restart, for routes do not outlive one."""
    for node in nodes:
        docker.execute(
            node.name, "sh", "-c", node_script(node, nodes), stdin=conflist(node.pod_cidr).encode()
        )
