"""Whether somebody else changed a field of ours, by the API server's own record of who owns what. Pure.

Server-side apply notes our fields in ``metadata.managedFields``. Whoever changes the value of one, or removes
it, takes it over, so a field that we want and no longer own has drifted. Values need no comparison (and so no
knowledge of quantities and defaults), and what others add, such as an autoscaler's replicas, is not ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from payment_operator.settings import FIELD_MANAGER

#: Fields of a manifest that say which object it is; nobody owns them.
IDENTITY = ("apiVersion", "kind")
IDENTITY_METADATA = ("name", "namespace")


def owns_all(live: Mapping[str, Any], body: Mapping[str, Any], manager: str) -> bool:
    """Whether ``manager`` still owns every field of ``body`` in the live object."""
    owned = _fields_of(live, manager)
    if owned is None:
        return False
    wanted = {key: value for key, value in body.items() if key not in IDENTITY}
    metadata = {key: value for key, value in body["metadata"].items() if key not in IDENTITY_METADATA}
    return _covers(owned, wanted | {"metadata": metadata})


def gives_up_replicas(live: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether ``body`` leaves the number of pods, which is ours so far, to somebody else (an autoscaler)."""
    if body["kind"] != "Deployment" or "replicas" in body["spec"]:
        return False
    owned = _fields_of(live, FIELD_MANAGER) or {}
    return "f:replicas" in owned.get("f:spec", {})


def _fields_of(live: Mapping[str, Any], manager: str) -> Mapping[str, Any] | None:
    for entry in live["metadata"].get("managedFields", []):
        if (
            entry.get("manager") == manager
            and entry.get("operation") == "Apply"
            and not entry.get("subresource")
        ):
            fields: Mapping[str, Any] = entry.get("fieldsV1", {})
            return fields
    return None


def _covers(owned: Mapping[str, Any], wanted: Any) -> bool:
    """``owned`` without children is a leaf or an atomic value: owned as a whole."""
    children = {key: value for key, value in owned.items() if key != "."}
    if not children:
        return True
    if isinstance(wanted, Mapping):
        return all(
            f"f:{key}" in children and _covers(children[f"f:{key}"], value)
            for key, value in wanted.items()
            if value is not None
        )
    if isinstance(wanted, list):
        return all(_owns_item(children, item) for item in wanted)
    return False


def _owns_item(children: Mapping[str, Any], item: Any) -> bool:
    """An item is owned by its key fields (``k:``, defaults included) or, in a set, by its value (``v:``)."""
    for path, owned in children.items():
        kind, _, text = path.partition(":")
        if kind == "v" and _parsed(text) == item:
            return True
        if kind == "k" and isinstance(item, Mapping):
            key = _parsed(text)
            if any(name in item for name in key) and all(
                item.get(name, value) == value for name, value in key.items()
            ):
                return _covers(owned, item)
    return False


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Any:
    """The same few hundred keys come at every look."""
    return json.loads(text)
