"""Which service gets what it was advised to ask for, and when. Pure.

Other requests replace pods, so it is one service at a time, each once a day at the most, and only while
nothing else goes on. What does not come up with them goes back to what it had.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from payment_operator.advice import Use, advised_cpu, advised_memory, quantity
from payment_operator.catalog import DATABASE_PASSWORDS, REDIS_PASSWORD, SUPERUSER_LOGIN
from payment_operator.phases import NAME_LABEL
from payment_operator.readiness import unready
from payment_operator.scaling import SCALER
from payment_operator.sizes import NAMES, Amounts, Size, applies, declared, in_force, put, read
from payment_operator.spec_types import ResourceList
from payment_operator.upgrade import Phase
from payment_operator.view import View

Object = Mapping[str, Any]
#: What is within this factor of the advice stays as it is.
FAR = Decimal("1.2")
#: Least and most that is applied where the spec sets no bounds: cores, bytes.
BOUNDS = {
    "cpu": (Decimal("0.01"), Decimal(2)),
    "memory": (Decimal(32 * 2**20), Decimal(2 * 2**30)),
}
PASSWORDS = frozenset({DATABASE_PASSWORDS, REDIS_PASSWORD, SUPERUSER_LOGIN})
#: Units that amounts are written in.
_UNIT = {"cpu": (Decimal("0.001"), "m"), "memory": (Decimal(2**20), "Mi")}
#: Conditions of the last look that must be so.
_CALM = {"Ready": "True", "ServicesReady": "True", "Progressing": "False", "Degraded": "False"}


def resized(view: View, every: timedelta) -> View:
    """The view with the sizes that are to hold from now on; ``every``: the least between two of a service."""
    if view.spec is None or view.paused or view.upgrading:
        return view
    record = read(view.previous)
    held = in_force(record, view.spec)
    for size in held:
        if not size.taken_back and (why := _failed(size, view)):
            gone = replace(size, at=view.now, requests={}, limits={}, taken_back=why)
            return replace(view, sizes=put(held, gone))
    lately = {size.service for size in record if view.now - size.at < every}
    best = max(_candidates(view, lately), default=None, key=lambda found: found[0])
    return replace(view, sizes=held if best is None else put(held, best[1]))


def _candidates(view: View, lately: set[str]) -> Iterable[tuple[Decimal, Size]]:
    """Services that are due, with how far off they are."""
    if view.spec is None or view.uses is None or not applies(view.spec) or not _calm(view):
        return
    scaled = {item.ref.name for item in view.desired if item.ref.kind == SCALER}
    bounds = _bounds(view)
    deployments = view.deployments()
    known = {size.service: size for size in in_force(read(view.previous), view.spec)}
    for name, use in sorted(view.uses.items()):
        live = deployments.get(name)
        if live is None or name in lately:
            continue
        # An autoscaler aims at a share of the requested CPU.
        kept = declared(view.spec, name) | (frozenset({"cpu"}) if name in scaled else frozenset())
        free = [item for item in NAMES if item not in kept]
        found = _size(name, live, use, free, bounds, view.now)
        if found is not None:
            off, size = found
            before = known.get(name)
            if before is not None:
                requests, limits = {**before.requests, **size.requests}, {**before.limits, **size.limits}
                size = replace(size, requests=requests, limits=limits)
            yield off, size


def _size(
    name: str,
    live: Object,
    use: Use,
    free: Iterable[str],
    bounds: Mapping[str, tuple[Decimal, Decimal]],
    now: datetime,
) -> tuple[Decimal, Size] | None:
    """What to change of a service, and by which factor at the most; None when nothing is far off."""
    resources = live["spec"]["template"]["spec"]["containers"][0].get("resources") or {}
    present: Amounts = resources.get("requests") or {}
    ceilings: Amounts = resources.get("limits") or {}
    wanted = {"cpu": advised_cpu(use), "memory": advised_memory(use)}
    requests, limits, worst = {}, {}, Decimal(1)
    for item in free:
        before = quantity(present[item]) if item in present else Decimal(0)
        if not before:
            continue
        low, high = bounds[item]
        after = min(max(wanted[item], low), high)
        off = max(after / before, before / after)
        if off <= FAR:
            continue
        worst = max(worst, off)
        requests[item] = _amount(item, after)
        if item in ceilings:
            limits[item] = _amount(item, quantity(ceilings[item]) * after / before)
    if not requests:
        return None
    measured = (
        f"the busiest pod used {use.cpu:.3f} cores (95th percentile) and {use.memory / 2**20:.0f} MiB"
        " (highest) in six hours"
    )
    return worst, Size(name, now, requests, limits, dict(present), dict(ceilings), measured)


def _amount(item: str, value: Decimal) -> str:
    unit, letters = _UNIT[item]
    return f"{max(1, math.ceil(value / unit))}{letters}"


def _bounds(view: View) -> dict[str, tuple[Decimal, Decimal]]:
    settings = view.spec.resource_advice if view.spec else None

    def bound(given: ResourceList | None, item: str, default: Decimal) -> Decimal:
        amount = getattr(given, item, None)
        return default if amount is None else quantity(amount)

    low, high = (settings.min_allowed, settings.max_allowed) if settings else (None, None)
    found = {}
    for item, (least, most) in BOUNDS.items():
        floor, ceiling = bound(low, item, least), bound(high, item, most)
        # One that is declared counts more than a default on the other side.
        first = getattr(low, item, None) is not None
        found[item] = (floor, max(floor, ceiling)) if first else (min(floor, ceiling), ceiling)
    return found


def _calm(view: View) -> bool:
    """Whether nothing else goes on, by this look and by the last one."""
    record = view.upgrade
    if view.rolls or (record is not None and record.phase is not Phase.DONE):
        return False
    plan = view.plan
    if plan.apply or plan.prune or plan.waits or plan.conflicts or view.hanging or view.unreachable:
        return False
    # Keys rotate without a restart.
    passwords = [item.reason for item in view.rotations if item.name in PASSWORDS]
    if "Rotating" in passwords or "Overlapping" in passwords:
        return False
    last = {item["type"]: item["status"] for item in view.previous.get("conditions", ())}
    if any(last.get(kind) != status for kind, status in _CALM.items()):
        return False
    return all(unready(item) is None for item in view.observed.live.values())


def _failed(size: Size, view: View) -> str | None:
    """Why a service does not do with its new amounts; None when nothing says so."""
    live = view.deployments().get(size.service)
    for condition in (live or {}).get("status", {}).get("conditions", ()):
        late = condition["type"] == "Progressing" and condition["status"] == "False"
        since = condition.get("lastUpdateTime")
        if late and since and datetime.fromisoformat(since) >= size.at:
            return f"its pods did not start with {_told(size.requests)}: {condition.get('message', '')}"
    before, after = size.before_limits.get("memory"), size.limits.get("memory")
    if before is None or after is None or quantity(after) >= quantity(before):
        return None
    for pod in view.observed.pods:
        metadata = pod["metadata"]
        own = metadata.get("labels", {}).get(NAME_LABEL) == size.service
        if own and datetime.fromisoformat(metadata["creationTimestamp"]) >= size.at and _out_of_memory(pod):
            return f"pod {metadata['name']} had too little memory with a limit of {after}"
    return None


def _out_of_memory(pod: Object) -> bool:
    return any(
        (container.get(state, {}).get("terminated") or {}).get("reason") == "OOMKilled"
        for container in pod.get("status", {}).get("containerStatuses", ())
        for state in ("state", "lastState")
    )


def _told(amounts: Amounts) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in sorted(amounts.items()))
