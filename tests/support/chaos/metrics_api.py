"""The API that autoscalers ask for CPU, in a cluster without a metrics-server: pod_metrics.py in a pod."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hack.kubectl import Cluster
from hack.up import NAMESPACE
from tests.support.chaos.pod_metrics import PORT
from tests.support.chaos.waiting import seconds_until
from tests.support.upgrades import IMAGE, platform

PLACE = NAME = "chaos-pod-metrics"
SERVICE = "apiservice/v1beta1.metrics.k8s.io"
LABELS = {"app": NAME}


@contextmanager
def metrics_api(cluster: Cluster) -> Iterator[None]:
    """Pods' use of CPU is told in the block. A cluster that has such an API keeps its own."""
    if cluster.exists(SERVICE) and not _ours(cluster):
        yield
        return
    cluster.namespace(PLACE)
    cluster.apply(*objects(str(platform(cluster)["spec"]["image"]["tag"])))
    try:
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/pods"
        seconds_until(lambda: '"usage"' in cluster.kubectl("get", "--raw", path), 90, "metrics of pods", 1)
        yield
    finally:
        remove(cluster)


def remove(cluster: Cluster) -> None:
    """All of it, if it is there."""
    if cluster.exists(SERVICE) and _ours(cluster):
        cluster.kubectl("delete", SERVICE)
    for kind in ("clusterrolebinding", "clusterrole"):
        cluster.kubectl("delete", kind, NAME, "--ignore-not-found")
    cluster.kubectl("delete", "namespace", PLACE, "--ignore-not-found", "--wait=false")


def _ours(cluster: Cluster) -> bool:
    return bool(cluster.get(SERVICE)["spec"]["service"]["namespace"] == PLACE)


def objects(tag: str) -> list[dict[str, Any]]:
    """What is applied."""
    in_place = {"name": NAME, "namespace": PLACE, "labels": LABELS}
    rules = [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]},
    ]
    script = Path(__file__).with_name("pod_metrics.py").read_text()
    container = {
        "name": "metrics",
        "image": f"{IMAGE}:{tag}",
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", script],
        "ports": [{"containerPort": PORT}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    pod = {
        "serviceAccountName": NAME,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    rbac = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": in_place},
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": NAME}, "rules": rules},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": PLACE}],
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": in_place,
            "spec": {
                "selector": {"matchLabels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": in_place,
            "spec": {"selector": LABELS, "ports": [{"port": 443, "targetPort": PORT}]},
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                # A certificate that the pod signs itself; nothing secret goes this way.
                "insecureSkipTLSVerify": True,
                "service": {"name": NAME, "namespace": PLACE, "port": 443},
            },
        },
    ]
