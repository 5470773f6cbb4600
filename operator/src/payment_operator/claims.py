"""Volumes that outlive what is declared: made when missing, grown, never pruned and never replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from payment_operator.apply import Writer
from payment_operator.cluster import Cluster
from payment_operator.kinds import GROUP, PLATFORM_LABEL, PVC
from payment_operator.manifest import Owner
from payment_operator.volumes import grown

ON_DELETE_ANNOTATION = f"{GROUP}/on-delete"


def ensure(cluster: Cluster, owner: Owner, documents: Iterable[Mapping[str, Any]]) -> None:
    """Bring the claims of one namespace about; one of somebody else is used as it is. Raises ApiError."""
    writer = Writer(cluster, owner.namespace)
    for document in documents:
        metadata = document["metadata"]
        keep = metadata["annotations"][ON_DELETE_ANNOTATION] == "Retain"
        owners = [] if keep else [owner.reference()]
        live = cluster.get(PVC, owner.namespace, metadata["name"])
        if live is None:
            owned = {"ownerReferences": owners} if owners else {}
            writer.create(PVC, {**document, "metadata": metadata | owned})
            continue
        if live["metadata"].get("labels", {}).get(PLATFORM_LABEL) != owner.name:
            continue
        changes: dict[str, Any] = {}
        if live["metadata"].get("ownerReferences", []) != owners:
            changes["metadata"] = {"ownerReferences": owners}
        requests = document["spec"]["resources"]["requests"]
        if grown(live["spec"]["resources"]["requests"]["storage"], requests["storage"]):
            changes["spec"] = {"resources": {"requests": requests}}
        if changes:
            writer.patch(PVC, live, changes)
