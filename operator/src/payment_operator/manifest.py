"""A manifest of the platform as the operator applies it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from payment_operator.kinds import HASH_ANNOTATION, KIND, PART_LABEL, PLATFORM, WAVE_ANNOTATION, Ref, ref_of

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Owner:
    """The platform that an object belongs to."""

    name: str
    namespace: str
    uid: str

    def reference(self) -> Object:
        """The ownerReference of every child; deletion of the platform takes them along."""
        return {
            "apiVersion": PLATFORM.api_version,
            "kind": KIND,
            "name": self.name,
            "uid": self.uid,
            "controller": True,
            "blockOwnerDeletion": False,
        }

    def owns(self, obj: Mapping[str, Any]) -> bool:
        """Whether the object is ours to write."""
        references = obj["metadata"].get("ownerReferences", [])
        return any(item["uid"] == self.uid and item.get("controller") for item in references)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an object is to be: the body to apply, the wave that it belongs to and the hash of its content."""

    ref: Ref
    wave: int
    hash: str
    body: Object

    @property
    def part(self) -> str:
        """The part of the observability stack that it belongs to; "" for what payments need."""
        return part_of(self.body)


def part_of(obj: Mapping[str, Any]) -> str:
    """The part of the observability stack that an object belongs to, else ""."""
    return str((obj["metadata"].get("labels") or {}).get(PART_LABEL, ""))


def digest(value: Any) -> str:
    """A short hash of anything that JSON can say."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def remade(item: Manifest, body: Object) -> Manifest:
    """A manifest with another body and its hash."""
    metadata = body["metadata"]
    annotations = {key: value for key, value in metadata["annotations"].items() if key != HASH_ANNOTATION}
    content = digest(body | {"metadata": metadata | {"annotations": annotations}})
    body = body | {"metadata": metadata | {"annotations": annotations | {HASH_ANNOTATION: content}}}
    return Manifest(item.ref, item.wave, content, body)


def manifest(document: Object, owner: Owner) -> Manifest:
    """A rendered document as the owner's: namespace, ownerReference and the hash of all that.

    Raises ValueError when its wave is not a number.
    """
    metadata = {key: value for key, value in document["metadata"].items() if key != "namespace"}
    annotations = dict(metadata.get("annotations") or {})
    wave = int(annotations.get(WAVE_ANNOTATION, "0"))
    metadata |= {
        "namespace": owner.namespace,
        "ownerReferences": [owner.reference()],
        "annotations": annotations,
    }
    body = document | {"metadata": metadata}
    content = digest(body)
    annotations[HASH_ANNOTATION] = content
    return Manifest(ref_of(document), wave, content, body)
