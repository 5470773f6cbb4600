"""What to apply, what to wait for, what to prune. Pure.

Waves gate the first install and a change of version only. Repair is everything at once, so that a dead Kafka
never blocks the healing of a Deployment; and while a version change waits, what is missing is made anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from payment_operator.drift import owns_all
from payment_operator.kinds import HASH_ANNOTATION, Ref
from payment_operator.manifest import Manifest
from payment_operator.readiness import unready
from payment_operator.settings import FIELD_MANAGER

Object = Mapping[str, Any]
USED_BY_PODS = frozenset({"ConfigMap", "ServiceAccount"})


@dataclass(frozen=True, slots=True)
class Rollout:
    """Where the platform stands: whether this release is new, and whether there was one before."""

    new_release: bool
    installed: bool
    #: Applied at once whatever their wave: what is not part of the change.
    free: frozenset[Ref] = frozenset()
    #: Not pruned though nobody wants it: there may be a way back to it.
    hold: frozenset[Ref] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """``apply`` in order of waves; ``waits`` is what keeps the rollout from going on, empty when complete."""

    apply: Sequence[Manifest] = ()
    prune: Sequence[Ref] = ()
    waits: Sequence[str] = ()
    wave: int | None = None
    conflicts: Sequence[Ref] = field(default=())


def needs_apply(wanted: Manifest, live: Object | None) -> bool:
    """Missing, made from other content, or changed by somebody in a field of ours."""
    if live is None:
        return True
    if live["metadata"].get("deletionTimestamp"):
        return False
    if live["metadata"].get("annotations", {}).get(HASH_ANNOTATION) != wanted.hash:
        return True
    return not owns_all(live, wanted.body, FIELD_MANAGER)


def plan(
    desired: Sequence[Manifest],
    live: Mapping[Ref, Object],
    foreign: frozenset[Ref],
    rollout: Rollout,
    external_waits: Sequence[str] = (),
) -> Plan:
    """``live`` are our objects, ``foreign`` are names that somebody else's objects have.

    ``external_waits`` names dependencies outside the cluster that do not answer; they belong to wave 1.
    """
    conflicts = tuple(sorted(item.ref for item in desired if item.ref in foreign))
    # Parts that only watch are applied in their wave, and nobody waits for them.
    needed = [item for item in desired if not item.part]
    pending = {
        item.ref for item in desired if item.ref not in foreign and needs_apply(item, live.get(item.ref))
    }
    reached, waits = _reached(needed, live, pending, conflicts, external_waits)
    ordered = sorted(
        (item for item in desired if item.ref in pending), key=lambda item: (item.wave, item.ref)
    )
    surplus = tuple(ref for ref in _surplus(desired, live) if ref not in rollout.hold)
    if reached is not None:
        # Pods that are still to be replaced may use these until then.
        surplus = tuple(ref for ref in surplus if ref.kind not in USED_BY_PODS)
    if not rollout.new_release:
        return Plan(tuple(ordered), surplus, conflicts=conflicts)
    due = [
        item
        for item in ordered
        if reached is None
        or item.wave <= reached
        or item.ref in rollout.free
        or (rollout.installed and item.ref not in live)
    ]
    return Plan(tuple(due), surplus if reached is None else (), tuple(waits), reached, conflicts)


def _reached(
    desired: Sequence[Manifest],
    live: Mapping[Ref, Object],
    pending: set[Ref],
    conflicts: Sequence[Ref],
    external_waits: Sequence[str],
) -> tuple[int | None, list[str]]:
    """The first wave that is not through, and what it waits for; None when all are."""
    for wave in sorted({item.wave for item in desired}):
        refs = [item.ref for item in desired if item.wave == wave]
        waits = [f"{ref} belongs to somebody else" for ref in refs if ref in conflicts]
        waits += [f"{ref} is applied" for ref in refs if ref in pending]
        waits += [
            reason for ref in refs if ref in live and ref not in pending and (reason := unready(live[ref]))
        ]
        waits += external_waits if wave == 1 else []
        if waits:
            return wave, waits
    return None, []


def _surplus(desired: Sequence[Manifest], live: Mapping[Ref, Object]) -> tuple[Ref, ...]:
    wanted = {item.ref for item in desired}
    gone = (ref for ref in live if ref not in wanted and not live[ref]["metadata"].get("deletionTimestamp"))
    return tuple(sorted(gone))
