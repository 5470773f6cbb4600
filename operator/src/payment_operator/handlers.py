"""What wakes the operator: events of platforms, of their children and of the Secrets. Registration only."""

from __future__ import annotations

from typing import Any

import kopf

from payment_operator.kinds import CHILDREN, PLATFORM, PLATFORM_LABEL, Kind
from payment_operator.requests import Requests, requests_of
from payment_operator.workqueue import WorkQueue

#: Seconds in which events of children are gathered into one look.
GATHER = 0.2


def register(registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings, queue: WorkQueue) -> None:
    """Every event of a platform or of one of its children queues their namespace."""
    seen: dict[str, tuple[int, Requests]] = {}

    async def on_platform(body: kopf.Body, type: str | None, namespace: str | None, **_: Any) -> None:
        metadata = body["metadata"]
        now = (metadata["generation"], requests_of(body))
        if type == "DELETED":
            seen.pop(metadata["uid"], None)
        elif seen.get(metadata["uid"]) == now and "deletionTimestamp" not in metadata:
            # Only the status or labels changed: mostly our own writing.
            return
        else:
            seen[metadata["uid"]] = now
        queue.add(str(namespace))

    async def on_child(namespace: str | None, **_: Any) -> None:
        queue.add(str(namespace), GATHER)

    kopf.on.event(PLATFORM.group, PLATFORM.version, PLATFORM.plural, id="platform", registry=registry)(
        on_platform
    )
    for kind in CHILDREN:
        kopf.on.event(*_address(kind), id=f"child-{kind.plural}", registry=registry)(on_child)
        settings.watching.label_selectors[_address(kind)] = PLATFORM_LABEL


def _address(kind: Kind) -> tuple[str, str, str]:
    return kind.group, kind.version, kind.plural
