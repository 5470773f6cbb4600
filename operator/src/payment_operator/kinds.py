"""The kinds that the operator reads and writes. The RBAC rules of its chart are generated from this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

GROUP, VERSION, KIND, PLURAL = "paymentplatform.dev", "v1alpha1", "PaymentPlatform", "paymentplatforms"
PLATFORM_LABEL = f"{GROUP}/platform"
COMPONENT_LABEL = "app.kubernetes.io/component"
#: The part of `observability` that an object belongs to: nothing waits for it.
PART_LABEL = f"{GROUP}/part"
WAVE_ANNOTATION = f"{GROUP}/wave"
HASH_ANNOTATION = f"{GROUP}/hash"
#: On Jobs that run in one phase of an upgrade only.
PHASE_ANNOTATION = f"{GROUP}/phase"
VERSION_LABEL = "app.kubernetes.io/version"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of the API, enough to make its path without discovery."""

    group: str
    version: str
    kind: str
    plural: str

    @property
    def api_version(self) -> str:
        """As in manifests: "v1" or "apps/v1"."""
        return f"{self.group}/{self.version}" if self.group else self.version


class Ref(NamedTuple):
    """An object of the platform's namespace."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


PLATFORM = Kind(GROUP, VERSION, KIND, PLURAL)
SECRET = Kind("", "v1", "Secret", "secrets")
POD = Kind("", "v1", "Pod", "pods")
PVC = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
EVENT = Kind("", "v1", "Event", "events")
LEASE = Kind("coordination.k8s.io", "v1", "Lease", "leases")

#: What the chart may render: watched, applied and pruned.
CHILDREN = (
    Kind("", "v1", "ConfigMap", "configmaps"),
    Kind("", "v1", "Service", "services"),
    Kind("", "v1", "ServiceAccount", "serviceaccounts"),
    Kind("apps", "v1", "Deployment", "deployments"),
    Kind("apps", "v1", "StatefulSet", "statefulsets"),
    Kind("batch", "v1", "Job", "jobs"),
    Kind("batch", "v1", "CronJob", "cronjobs"),
    Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
    Kind("networking.k8s.io", "v1", "Ingress", "ingresses"),
)
BY_KIND: Mapping[str, Kind] = {
    kind.kind: kind for kind in (*CHILDREN, PLATFORM, SECRET, POD, PVC, EVENT, LEASE)
}


def ref_of(obj: Mapping[str, Any]) -> Ref:
    """The name of an object within its namespace."""
    return Ref(obj["kind"], obj["metadata"]["name"])
