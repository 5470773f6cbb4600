"""Growing the volumes of a StatefulSet. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

UNITS = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}


def claims_to_grow(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The claims of the live StatefulSet's pods whose template asks for more now, as bodies to apply.

    Empty when nothing grows, or when something else of a template changed, which nobody can do in place.
    """
    before = {item["metadata"]["name"]: item["spec"] for item in live["spec"].get("volumeClaimTemplates", [])}
    after = {
        item["metadata"]["name"]: item["spec"] for item in wanted["spec"].get("volumeClaimTemplates", [])
    }
    if before.keys() != after.keys():
        return []
    claims = []
    for name, spec in after.items():
        size = spec["resources"]["requests"]["storage"]
        if _bytes(size) <= _bytes(before[name]["resources"]["requests"]["storage"]):
            continue
        for pod in range(int(live["spec"].get("replicas", 1))):
            claims.append(_claim(f"{name}-{live['metadata']['name']}-{pod}", size))
    return claims


def grown(before: str, after: str) -> bool:
    """Whether a volume is to be larger."""
    return _bytes(after) > _bytes(before)


def _claim(name: str, size: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"resources": {"requests": {"storage": size}}},
    }


def _bytes(size: str) -> Decimal:
    digits = size.rstrip("KMGTPi")
    return Decimal(digits) * UNITS[size[len(digits) :]]
