"""Which changes are made now: of the services that run, few at a time are replaced. Pure.

A pod that starts takes a core for seconds. When all services roll at once, those that serve on a small node
come too late with their answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from payment_operator.kinds import Ref
from payment_operator.manifest import Manifest, part_of
from payment_operator.readiness import unready

Object = Mapping[str, Any]
AT_ONCE = 2


def turns(manifests: Sequence[Manifest], live: Mapping[Ref, Object]) -> Sequence[Manifest]:
    """Those of ``manifests`` whose turn it is. What is missing, broken or rolls nothing never waits."""
    rolling = sum(
        ref.kind == "Deployment" and not part_of(item) and _rolls(item) for ref, item in live.items()
    )
    chosen = []
    for item in manifests:
        present = live.get(item.ref)
        if present is not None and _replaces(item, present) and unready(present) is None:
            if rolling >= AT_ONCE:
                continue
            rolling += 1
        chosen.append(item)
    return chosen


def _rolls(deployment: Object) -> bool:
    """Whether its pods are being replaced, and it is not stuck with that."""
    conditions = deployment.get("status", {}).get("conditions", [])
    stuck = any(item["type"] == "Progressing" and item["status"] == "False" for item in conditions)
    return unready(deployment) is not None and not stuck


def _replaces(item: Manifest, present: Object) -> bool:
    if item.ref.kind != "Deployment" or item.part:
        return False
    wanted = item.body.get("spec", {}).get("template")
    return not _within(wanted, present.get("spec", {}).get("template"))


def _within(wanted: Any, found: Any) -> bool:
    """Whether ``found`` says all that is wanted; the API server adds defaults."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return all(key in found and _within(value, found[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return all(_within(one, other) for one, other in zip(wanted, found, strict=True))
    return bool(wanted == found)
