"""What the platform is to have in each phase of an upgrade, from the manifests of both releases. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from payment_operator.kinds import PHASE_ANNOTATION, VERSION_LABEL, Ref
from payment_operator.manifest import Manifest
from payment_operator.upgrade import Phase

Object = Mapping[str, Any]
Manifests = Sequence[Manifest]
NAME_LABEL = "app.kubernetes.io/name"
JOBS, SERVICES = 2, 3
#: The Jobs that only an upgrade runs, by the phase that they are annotated with.
PROBES = {Phase.PREFLIGHT: "preflight", Phase.SMOKE: "smoke"}


@dataclass(frozen=True, slots=True)
class Course:
    """``desired`` in waves when ``gated`` (``free`` regardless); what is in ``hold`` is not pruned."""

    desired: tuple[Manifest, ...]
    gated: bool = False
    free: frozenset[Ref] = frozenset()
    hold: frozenset[Ref] = frozenset()


def settled(manifests: Manifests) -> tuple[Manifest, ...]:
    """A release at rest: without the Jobs that only an upgrade runs."""
    return tuple(item for item in manifests if not _probe(item))


def course(phase: Phase, attempt: int, old: Manifests, new: Manifests, live: Mapping[Ref, Object]) -> Course:
    """What is to be there in a phase. ``old`` and ``new`` are all manifests of the releases."""
    # Jobs of the old release that are gone are not run once more: the schema may be newer by now.
    before = tuple(item for item in settled(old) if item.wave != JOBS or item.ref in live)
    after = settled(new)
    kept = frozenset(item.ref for item in before)
    if phase in (Phase.PREFLIGHT, Phase.SNAPSHOT):
        return Course((*before, *probe(phase, attempt, new)), hold=frozenset())
    if phase is Phase.MIGRATIONS:
        services = [item for item in before if item.wave >= SERVICES]
        refs = frozenset(item.ref for item in services)
        first = [item for item in after if item.wave < SERVICES and item.ref not in refs]
        return Course((*first, *services), gated=True, free=refs, hold=kept)
    if phase is Phase.SERVICES:
        return Course(after, gated=True, hold=kept)
    if phase is Phase.SMOKE:
        return Course((*after, *probe(phase, attempt, new)), hold=kept)
    if phase is Phase.DONE:
        return Course(after)
    return _back(before, live)


def probe(phase: Phase, attempt: int, manifests: Manifests) -> tuple[Manifest, ...]:
    """The Job of a phase, under another name in each attempt, for a Job that ended does not run again."""
    wanted = PROBES.get(phase)
    return tuple(_numbered(item, attempt) for item in manifests if wanted and _probe(item) == wanted)


def _back(before: Manifests, live: Mapping[Ref, Object]) -> Course:
    """The services of the old release. What holds data, and all that belongs to it, never goes back."""
    data = {
        str(item["metadata"].get("labels", {}).get(NAME_LABEL)): item
        for ref, item in live.items()
        if ref.kind == "StatefulSet"
    }
    versions = {_label(item.body, VERSION_LABEL) for item in before}
    newer = {name for name, item in data.items() if _label(item, VERSION_LABEL) not in versions}

    def stays(item: Manifest) -> bool:
        return _label(item.body, NAME_LABEL) not in newer or item.wave >= SERVICES or item.ref not in live

    names = newer | set(data)
    hold = {
        ref
        for ref, item in live.items()
        if ref.kind == "StatefulSet" or (_label(item, NAME_LABEL) in names and ref.kind != "Job")
    }
    return Course(tuple(item for item in before if stays(item)), hold=frozenset(hold))


def _probe(item: Manifest) -> str:
    found = item.body["metadata"].get("annotations", {}).get(PHASE_ANNOTATION, "")
    return str(found)


def _numbered(item: Manifest, attempt: int) -> Manifest:
    name = f"{item.ref.name}-{attempt}"
    body = item.body | {"metadata": item.body["metadata"] | {"name": name}}
    return Manifest(Ref(item.ref.kind, name), 0, item.hash, body)


def _label(body: Object, label: str) -> str:
    return str(body["metadata"].get("labels", {}).get(label, ""))
