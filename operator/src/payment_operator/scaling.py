"""The floor of autoscaled services by the work that waits for them. Pure.

The HorizontalPodAutoscaler goes on scaling by CPU; a backlog lifts its minReplicas, at once, and lets it down
again one by one. So two who scale never pull at the same number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from payment_operator.kinds import GROUP, Ref
from payment_operator.load import Load
from payment_operator.manifest import Manifest, remade
from payment_operator.spec import PaymentPlatformSpec

Object = Mapping[str, Any]
#: On an autoscaler whose floor is lifted: since when it is where it is.
FLOOR_ANNOTATION = f"{GROUP}/floor-since"
SCALER = "HorizontalPodAutoscaler"


def targets(spec: PaymentPlatformSpec | None) -> dict[str, int]:
    """Waiting messages and rows for each pod, by the services that scale by them."""
    found = {}
    for name, field in (type(spec.services).model_fields if spec and spec.services else {}).items():
        service = getattr(spec.services, name) if spec else None
        if service and service.autoscaling and service.autoscaling.waiting_per_replica:
            found[field.alias or name] = service.autoscaling.waiting_per_replica
    return found


def lifted(
    desired: Sequence[Manifest],
    live: Mapping[Ref, Object],
    wanted: Mapping[str, int],
    load: Load | None,
    now: datetime,
    calm: timedelta,
) -> tuple[Manifest, ...]:
    """The manifests with the floors of now. Without ``load`` floors stay where they are."""
    return tuple(
        _lifted(item, live.get(item.ref), wanted[item.ref.name], load, now, calm)
        if item.ref.kind == SCALER and item.ref.name in wanted
        else item
        for item in desired
    )


def _lifted(
    item: Manifest, live: Object | None, each: int, load: Load | None, now: datetime, calm: timedelta
) -> Manifest:
    low, high = int(item.body["spec"]["minReplicas"]), int(item.body["spec"]["maxReplicas"])
    text = ((live or item.body)["metadata"].get("annotations") or {}).get(FLOOR_ANNOTATION)
    # One that carries no date was never lifted, or somebody else took it down.
    present = low if live is None or not text else int(live["spec"].get("minReplicas") or low)
    behind = None if load is None else load.behind.get(item.ref.name, 0.0)
    aim = present if behind is None else math.ceil(behind / each)
    floor, since = _step(min(max(present, low), high), min(max(aim, low), high), _time(text, now), now, calm)
    if floor == low:
        return item
    metadata = item.body["metadata"]
    stamp = {FLOOR_ANNOTATION: since.isoformat(timespec="seconds")}
    body = item.body | {
        "metadata": metadata | {"annotations": metadata["annotations"] | stamp},
        "spec": item.body["spec"] | {"minReplicas": floor},
    }
    return remade(item, body)


def _step(present: int, aim: int, since: datetime, now: datetime, calm: timedelta) -> tuple[int, datetime]:
    """Up at once, down by one when it has been there for ``calm``."""
    if aim > present:
        return aim, now
    if aim < present and now - since >= calm:
        return present - 1, now
    return present, since


def _time(text: str | None, now: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return now
    return found if found.tzinfo is not None else now
