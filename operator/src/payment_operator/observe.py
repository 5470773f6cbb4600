"""What is there: our children, pods, and names that somebody else has taken.

Read by LIST with the platform's label at each reconcile, not from a cache: reconciles are coalesced, so a
platform at rest costs some requests a minute; nothing can be stale after a lost watch, and memory does not
grow with the number of platforms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from payment_operator.cluster import Cluster, Object
from payment_operator.kinds import BY_KIND, CHILDREN, PLATFORM_LABEL, POD, Kind, Ref, ref_of
from payment_operator.manifest import Owner


@dataclass(frozen=True, slots=True)
class Observed:
    """``live`` is ours; ``foreign`` are wanted names whose object belongs to somebody else.

    ``runs`` are the Jobs that our CronJobs made.
    """

    live: dict[Ref, Object]
    foreign: frozenset[Ref]
    pods: list[Object]
    runs: Sequence[Object] = ()


def observe(cluster: Cluster, owner: Owner, wanted: Iterable[Ref]) -> Observed:
    """Look at the namespace. ``wanted`` are the names that the platform is to have. Raises ApiError."""
    selector = f"{PLATFORM_LABEL}={owner.name}"

    def listed(kind: Kind) -> list[Object]:
        return cluster.list(kind, owner.namespace, selector)

    *children, pods = cluster.parallel(listed, (*CHILDREN, POD))
    found = {ref_of(item): item for items in children for item in items}
    live = {ref: item for ref, item in found.items() if owner.owns(item)}
    absent = [ref for ref in wanted if ref not in live]
    missing = [*_there(cluster, owner.namespace, absent)]

    def taken(ref: Ref) -> Object | None:
        return cluster.get(BY_KIND[ref.kind], owner.namespace, ref.name)

    # The label may have been taken off one of ours, or be missing on somebody else's.
    for ref, item in zip(missing, cluster.parallel(taken, missing), strict=True):
        if item is not None:
            found[ref] = {"apiVersion": BY_KIND[ref.kind].api_version, "kind": ref.kind} | item
            if owner.owns(item):
                live[ref] = found[ref]
    schedules = {item["metadata"]["uid"] for ref, item in live.items() if ref.kind == "CronJob"}
    runs = [item for ref, item in found.items() if ref.kind == "Job" and _controller(item) in schedules]
    return Observed(live, frozenset(ref for ref in missing if ref in found and ref not in live), pods, runs)


def _there(cluster: Cluster, namespace: str, refs: Sequence[Ref]) -> Iterator[Ref]:
    """Those of the names that exist. One question for each kind: on a first install all are missing."""
    kinds = [BY_KIND[name] for name in sorted({ref.kind for ref in refs})]
    taken = cluster.parallel(lambda kind: cluster.names(kind, namespace), kinds)
    found = dict(zip((kind.kind for kind in kinds), taken, strict=True))
    return (ref for ref in refs if ref.name in found[ref.kind])


def _controller(item: Object) -> str | None:
    references = item["metadata"].get("ownerReferences", [])
    return next((str(entry["uid"]) for entry in references if entry.get("controller")), None)
