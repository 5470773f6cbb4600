"""kind's cluster configuration. Rendered as JSON, which kind reads as the YAML it is.

Source: https://kind.sigs.k8s.io/docs/user/configuration/
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hack.kind import ports

AUDIT_FOLDER = "/etc/kubernetes/audit"
AUDIT_LOG = "/var/log/kubernetes/audit.log"


def _api_server_patch() -> dict[str, Any]:
    """Kubernetes 1.34 is configured in v1beta3, where extraArgs is a map, by this kind release."""
    return {
        "apiVersion": "kubeadm.k8s.io/v1beta3",
        "kind": "ClusterConfiguration",
        "apiServer": {
            "extraArgs": {
                "audit-policy-file": f"{AUDIT_FOLDER}/policy.yaml",
                "audit-log-path": AUDIT_LOG,
                "audit-log-maxsize": "200",
                "audit-log-maxbackup": "2",
            },
            "extraVolumes": [
                {
                    "name": "audit-policy",
                    "hostPath": AUDIT_FOLDER,
                    "mountPath": AUDIT_FOLDER,
                    "readOnly": True,
                    "pathType": "Directory",
                },
                {
                    "name": "audit-log",
                    "hostPath": str(Path(AUDIT_LOG).parent),
                    "mountPath": str(Path(AUDIT_LOG).parent),
                    "pathType": "DirectoryOrCreate",
                },
            ],
        },
    }


def render(
    *, name: str, image: str, nodes: int, port_offset: int, audit_policy: Path, own_network: bool
) -> str:
    """The configuration of a cluster; the first node is the control plane and has all port mappings.

    `own_network`: the image brings no pod network, so kind is not to install its own (see network.py).
    """
    control_plane = {
        "role": "control-plane",
        "image": image,
        "extraPortMappings": [
            {"hostPort": host, "containerPort": node_port, "listenAddress": "127.0.0.1", "protocol": "TCP"}
            for host, node_port in ports.mapping(port_offset).items()
        ],
        "extraMounts": [
            {"hostPath": str(audit_policy), "containerPath": f"{AUDIT_FOLDER}/policy.yaml", "readOnly": True}
        ],
        "kubeadmConfigPatches": [json.dumps(_api_server_patch())],
    }
    config = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": name,
        "networking": {"disableDefaultCNI": own_network, "apiServerAddress": "127.0.0.1"},
        "nodes": [control_plane, *({"role": "worker", "image": image} for _ in range(nodes - 1))],
    }
    return json.dumps(config, indent=2) + "\n"
