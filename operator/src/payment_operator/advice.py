"""What containers should ask for, by what they used. Pure; whether it is done is for resize.py."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

Object = Mapping[str, Any]
#: Above what was used: CPU at its 95th percentile, memory at its highest.
CPU_ROOM, MEMORY_ROOM = Decimal("1.25"), Decimal("1.3")
#: Steps, which are the least too: millicores, MiB.
CPU_STEP, MEMORY_STEP = 10, 16
#: What is within this factor of the advice may stay as it is.
NEAR = Decimal("1.5")
_UNITS = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
}
_UNITS |= {f"{letter}i": Decimal(2 ** (10 * power)) for power, letter in enumerate("KMGT", start=1)}


class Use(NamedTuple):
    """Of the busiest pod of a service: cores at the 95th percentile, and most bytes, of some hours."""

    cpu: float
    memory: float


def advise(uses: Mapping[str, Use], deployments: Mapping[str, Object | None]) -> list[dict[str, Any]]:
    """The entries of ``status.advice``, by service. A container without a request has none to change."""
    entries = []
    for name, use in sorted(uses.items()):
        live = deployments.get(name)
        if live is None:
            continue
        resources = live["spec"]["template"]["spec"]["containers"][0].get("resources") or {}
        changes = list(_changes(resources.get("requests") or {}, resources.get("limits") or {}, use))
        if changes:
            entries.append({"service": name, "changes": changes})
    return entries


def quantity(text: object) -> Decimal:
    """A Kubernetes quantity as a number of cores or bytes. Raises KeyError for an unknown unit."""
    digits = str(text).rstrip("numkKMGTi")
    return Decimal(digits) * _UNITS[str(text)[len(digits) :]]


def advised_cpu(use: Use) -> Decimal:
    """Cores to ask for, in whole steps."""
    return Decimal(_stepped(Decimal(str(use.cpu)) * 1000 * CPU_ROOM, CPU_STEP)) / 1000


def advised_memory(use: Use) -> Decimal:
    """Bytes to ask for, in whole steps."""
    return Decimal(_stepped(Decimal(str(use.memory)) / 2**20 * MEMORY_ROOM, MEMORY_STEP)) * 2**20


def _changes(requests: Object, limits: Object, use: Use) -> Iterator[str]:
    cpu, memory = int(advised_cpu(use) * 1000), int(advised_memory(use) / 2**20)
    if "cpu" in requests and _far(quantity(requests["cpu"]) * 1000, cpu):
        yield f"requests.cpu: {requests['cpu']} → {cpu}m"
    if "memory" in requests and _far(quantity(requests["memory"]) / 2**20, memory):
        yield f"requests.memory: {requests['memory']} → {memory}Mi"
    # A limit that is near is told; room above costs nothing.
    if "memory" in limits and quantity(limits["memory"]) / 2**20 < memory:
        yield f"limits.memory: {limits['memory']} → {memory}Mi"


def _stepped(value: Decimal, step: int) -> int:
    return max(1, math.ceil(value / step)) * step


def _far(present: Decimal, advised: int) -> bool:
    return not advised / NEAR <= present <= advised * NEAR
