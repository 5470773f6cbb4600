"""Small objects as the API server gives them, for the operator's tests."""

from typing import Any

from payment_operator.kinds import HASH_ANNOTATION, WAVE_ANNOTATION, Ref, ref_of
from payment_operator.manifest import Manifest, Owner, manifest
from payment_operator.settings import FIELD_MANAGER

Object = dict[str, Any]
OWNER = Owner("payments", "shop", "uid-1")


def document(kind: str, name: str, wave: int = 0, **fields: Any) -> Object:
    """A rendered document."""
    metadata = {"name": name, "annotations": {WAVE_ANNOTATION: str(wave)}, "labels": fields.pop("labels", {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata} | fields


def wanted(kind: str, name: str, wave: int = 0, **fields: Any) -> Manifest:
    """A manifest of the owner."""
    return manifest(document(kind, name, wave, **fields), OWNER)


def owned_fields(value: Any) -> Any:
    """fieldsV1 of a body that one manager applied (maps only; lists as atomic)."""
    if isinstance(value, dict):
        return {f"f:{key}": owned_fields(item) for key, item in value.items()}
    return {}


def applied(item: Manifest, **changes: Any) -> Object:
    """The live object after ``item`` was applied, with what the cluster adds."""
    body = item.body
    fields = {key: value for key, value in body.items() if key not in ("apiVersion", "kind")}
    fields["metadata"] = {k: v for k, v in body["metadata"].items() if k not in ("name", "namespace")}
    entry = {"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": owned_fields(fields)}
    metadata = body["metadata"] | {"uid": f"uid-{item.ref}", "generation": 1, "managedFields": [entry]}
    return body | {"metadata": metadata} | changes


def deployment(name: str, *, ready: int = 1, wanted_pods: int = 1, **extra: Any) -> tuple[Manifest, Object]:
    """A Deployment and its live twin."""
    item = wanted("Deployment", name, 3, spec={"replicas": wanted_pods})
    status = {
        "observedGeneration": 1,
        "replicas": wanted_pods,
        "updatedReplicas": wanted_pods,
        "readyReplicas": ready,
        "availableReplicas": ready,
    }
    return item, applied(item, status=status | extra)


def stateful_set(name: str, *, ready: int = 1, wanted_pods: int = 1) -> tuple[Manifest, Object]:
    """A StatefulSet and its live twin."""
    item = wanted("StatefulSet", name, 1, spec={"replicas": wanted_pods})
    status = {"observedGeneration": 1, "updatedReplicas": wanted_pods, "readyReplicas": ready}
    return item, applied(item, status=status)


def job(name: str, component: str, *, state: str = "Complete") -> tuple[Manifest, Object]:
    """A Job and its live twin: Complete, Failed or Running."""
    labels = {"app.kubernetes.io/component": component}
    item = wanted("Job", name, 2, labels=labels, spec={})
    conditions = (
        [] if state == "Running" else [{"type": state, "status": "True", "message": "BackoffLimitExceeded"}]
    )
    return item, applied(item, status={"conditions": conditions})


def by_ref(*objects: Object) -> dict[Ref, Object]:
    """As observe gives them."""
    return {ref_of(item): item for item in objects}


def without_hash(obj: Object) -> Object:
    """As made from other content."""
    annotations = {k: v for k, v in obj["metadata"]["annotations"].items() if k != HASH_ANNOTATION}
    return obj | {"metadata": obj["metadata"] | {"annotations": annotations}}
