"""Advice that was applied: the record in ``status.appliedAdvice``, and what the chart is told of it. Pure.

Precedence: what a platform declares, then the administrator's defaults, then these, then its profile.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from payment_operator.announce import Notice
from payment_operator.spec import PaymentPlatformSpec

Object = Mapping[str, Any]
Amounts = Mapping[str, str]
NAMES = ("cpu", "memory")
RECORD = "appliedAdvice"


@dataclass(frozen=True, slots=True)
class Size:
    """Requests and limits of one service by ``cpu`` and ``memory``, those that it had before, and why.

    One that was taken back says why in ``taken_back`` and holds no amounts.
    """

    service: str
    at: datetime
    requests: Amounts
    limits: Amounts
    before_requests: Amounts
    before_limits: Amounts
    measured: str
    taken_back: str = ""


def read(status: Object) -> tuple[Size, ...]:
    """What ``written`` wrote."""
    return tuple(_read(entry) for entry in status.get(RECORD, ()))


def written(sizes: Iterable[Size]) -> list[dict[str, Any]]:
    """As ``status.appliedAdvice``."""
    return [_written(size) for size in sizes]


def in_force(sizes: Iterable[Size], spec: PaymentPlatformSpec) -> tuple[Size, ...]:
    """Those that hold: none unless they are asked for, and nothing of what is declared by now."""
    if not applies(spec):
        return ()
    held = (_without(size, declared(spec, size.service)) for size in sizes)
    return tuple(size for size in held if size.requests or size.taken_back)


def applies(spec: PaymentPlatformSpec) -> bool:
    """Whether advice is applied."""
    return spec.resource_advice is not None and spec.resource_advice.update_mode == "Auto"


def declared(spec: PaymentPlatformSpec, service: str) -> frozenset[str]:
    """Of ``cpu`` and ``memory`` what the spec itself says of a service, as request or as limit."""
    found = getattr(spec.services, service.replace("-", "_"), None) if spec.services else None
    resources = found.resources if found else None
    parts = (resources.requests, resources.limits) if resources else ()
    return frozenset(name for part in parts for name in NAMES if part and getattr(part, name) is not None)


def sized(values: dict[str, Any], sizes: Iterable[Size]) -> dict[str, Any]:
    """The chart's values with these amounts, which must be in force."""
    result = copy.deepcopy(values)
    for size in sizes:
        service = result.setdefault("services", {}).setdefault(size.service, {})
        resources = service.setdefault("resources", {})
        for part, amounts in (("requests", size.requests), ("limits", size.limits)):
            if amounts:
                resources.setdefault(part, {}).update(amounts)
    return result


def changes(size: Size) -> list[str]:
    """As "requests.cpu 100m → 380m"."""
    pairs = (
        ("requests", size.before_requests, size.requests),
        ("limits", size.before_limits, size.limits),
    )
    return [
        f"{part}.{name} {before.get(name, '(none)')} → {after[name]}"
        for part, before, after in pairs
        for name in after
        if before.get(name) != after[name]
    ]


def size_notices(before: Object, after: Object) -> list[Notice]:
    """The news between two statuses: what was applied, what was taken back."""
    known = {(size.service, size.at, size.taken_back) for size in read(before)}
    news = [size for size in read(after) if (size.service, size.at, size.taken_back) not in known]
    return [_notice(size) for size in news]


def _notice(size: Size) -> Notice:
    if size.taken_back:
        return Notice("Warning", "ResourcesTakenBack", f"{size.service}: {size.taken_back}")
    return Notice(
        "Normal", "ResourcesApplied", f"{size.service}: {', '.join(changes(size))}: {size.measured}"
    )


def put(sizes: Sequence[Size], new: Size) -> tuple[Size, ...]:
    """The record with another entry of a service."""
    others = [size for size in sizes if size.service != new.service]
    return tuple(sorted([*others, new], key=lambda size: size.service))


def _without(size: Size, names: frozenset[str]) -> Size:
    def rest(amounts: Amounts) -> Amounts:
        return {name: amount for name, amount in amounts.items() if name not in names}

    return replace(size, requests=rest(size.requests), limits=rest(size.limits)) if names else size


def _read(entry: Object) -> Size:
    now, before = entry.get("resources") or {}, entry.get("before") or {}
    return Size(
        entry["service"],
        datetime.fromisoformat(entry["appliedAt"]),
        now.get("requests") or {},
        now.get("limits") or {},
        before.get("requests") or {},
        before.get("limits") or {},
        entry.get("measured", ""),
        entry.get("takenBack", ""),
    )


def _written(size: Size) -> dict[str, Any]:
    return {
        "service": size.service,
        "appliedAt": size.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "resources": {"requests": dict(size.requests), "limits": dict(size.limits)},
        "before": {"requests": dict(size.before_requests), "limits": dict(size.before_limits)},
        "measured": size.measured,
        "takenBack": size.taken_back,
    }
