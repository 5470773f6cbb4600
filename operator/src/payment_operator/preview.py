"""What a plan would change, object by object and field by field, by the API server's own dry run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from payment_operator.cluster import Cluster
from payment_operator.errors import ApiError
from payment_operator.kinds import BY_KIND, HASH_ANNOTATION
from payment_operator.manifest import Manifest, Object
from payment_operator.view import View

#: How much of it a status can hold.
OBJECTS, CHANGES, LETTERS = 100, 20, 80
#: Fields that the API server writes at every change, and our own mark.
_ITS_OWN = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")
_ABSENT = object()


def preview(cluster: Cluster, view: View) -> list[Object]:
    """The entries of ``status.plan``; ``view.plan`` must hold all that is to be done. Raises ApiError."""
    live = view.observed.live

    def one(item: Manifest) -> Object | None:
        before = live.get(item.ref)
        try:
            after = cluster.apply(
                BY_KIND[item.ref.kind], view.namespace, item.ref.name, item.body, dry_run=True
            )
        except ApiError as error:
            if error.status == 0:
                raise
            return _entry("Refused", item, [str(error)])
        if before is None:
            return _entry("Create", item, [])
        changes = list(differences(before, after))
        return _entry("Update", item, changes) if changes else None

    entries = [entry for entry in cluster.parallel(one, view.plan.apply) if entry is not None]
    entries += [{"action": "Delete", "object": str(ref), "changes": []} for ref in view.plan.prune]
    return entries[:OBJECTS]


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Each field that is another, as "spec.replicas: 2 → 3". Items of lists are told apart by their name."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            if path == "" and key in ("status", "apiVersion", "kind"):
                continue
            if path == "metadata" and key in _ITS_OWN:
                continue
            if key == HASH_ANNOTATION:
                continue
            yield from differences(
                before.get(key, _ABSENT), after.get(key, _ABSENT), f"{path}.{key}" if path else key
            )
    elif (named := _by_name(before)) is not None and (others := _by_name(after)) is not None:
        for name in sorted({*named, *others}):
            yield from differences(named.get(name, _ABSENT), others.get(name, _ABSENT), f"{path}[{name}]")
    elif before != after:
        yield f"{path}: {_short(before)} → {_short(after)}"


def _by_name(value: Any) -> dict[str, Any] | None:
    if (
        isinstance(value, list)
        and value
        and all(isinstance(item, Mapping) and "name" in item for item in value)
    ):
        return {item["name"]: item for item in value}
    return None


def _short(value: Any) -> str:
    if value is _ABSENT:
        return "(none)"
    text = str(value)
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"


def _entry(action: str, item: Manifest, changes: list[str]) -> Object:
    if len(changes) > CHANGES:
        changes = [*changes[:CHANGES], f"and {len(changes) - CHANGES} more"]
    return {"action": action, "object": str(item.ref), "changes": changes}
