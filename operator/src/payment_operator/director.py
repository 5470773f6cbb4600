"""What a platform is to have now: at rest the declared release, during an upgrade what its phase needs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from payment_operator.cluster import Cluster
from payment_operator.desire import Desire
from payment_operator.errors import InvalidSpec, UnsupportedVersion
from payment_operator.manifest import Manifest, Owner
from payment_operator.observe import observe
from payment_operator.outcome import NONE, outcome
from payment_operator.phases import Course, course, settled
from payment_operator.plan import Rollout, plan
from payment_operator.reach import external_addresses, external_parts, unreachable
from payment_operator.spec import PaymentPlatformSpec
from payment_operator.upgrade import WAITING, Outcome, Phase, Seen, Upgrade, advance, from_status
from payment_operator.values import parse, release_of
from payment_operator.view import View
from payment_operator.watchful import Watchful

logger = logging.getLogger(__name__)

#: Takes a snapshot before an upgrade; called at each look until it is done or failed.
Snapshot = Callable[[Owner, View, Upgrade], Outcome]
OLD_SERVICES = frozenset({Phase.PREFLIGHT, Phase.SNAPSHOT, Phase.ROLLING_BACK, Phase.ROLLED_BACK})


@dataclass(frozen=True, slots=True)
class Release:
    """A version with the settings that it runs, or is to run, with."""

    version: str
    name: str
    spec: PaymentPlatformSpec


def no_snapshot(_: Owner, __: View, ___: Upgrade) -> Outcome:
    """For as long as nothing makes backups."""
    return NONE


class Director:
    """One look at a namespace, and the step of the upgrade that follows from it."""

    def __init__(
        self,
        cluster: Cluster,
        desire: Desire,
        snapshot: Snapshot = no_snapshot,
        watchful: Watchful | None = None,
    ) -> None:
        self._cluster = cluster
        self._desire = desire
        self._snapshot = snapshot
        self._watchful = watchful

    def look(self, view: View, declared: PaymentPlatformSpec, owner: Owner) -> View:
        """The view with what is there and what to do about it. Raises OperatorError."""
        last = last_good(view.previous, declared)
        view, wanted = self._wanted(view, declared, last)
        record = from_status(view.previous)
        view = replace(view, spec=wanted.spec, upgrade=record, target=wanted.name)
        moves = record is not None and record.under_way
        # After a rollback what holds data may be newer than the rest, until an upgrade is through.
        mixed = record is not None and record.phase is Phase.ROLLED_BACK
        rests = view.paused or (wanted.name == view.previous.get("release") and not mixed)
        if last is None or view.requests.dry_run or (rests and not moves):
            return self._at_rest(view, wanted, owner)
        return self._between(view, last, wanted, owner)

    def _wanted(
        self, view: View, declared: PaymentPlatformSpec, last: Release | None
    ) -> tuple[View, Release]:
        """What the spec names; when that cannot be, what runs is kept, and the view says why."""
        versions, installed = self._desire.versions, view.previous.get("version")
        version = versions.wanted(declared.version, installed)
        try:
            versions.check(installed or version, version)
        except UnsupportedVersion as problem:
            if last is None:
                raise
            return replace(view, problem=problem), last
        return view, Release(version, release_of(declared, version), declared)

    def _at_rest(self, view: View, wanted: Release, owner: Owner) -> View:
        view = self._released(view, wanted)
        view = self._desire.prepared(view, wanted.spec, owner)
        manifests = self._desire.manifests(view, wanted.spec, wanted.version, owner)
        view = self._observed(replace(view, desired=settled(manifests)), owner)
        return self._planned(view, Rollout(view.rolls, view.installed))

    def _between(self, view: View, last: Release, wanted: Release, owner: Owner) -> View:
        view = self._desire.prepared(view, wanted.spec, owner)
        if wanted.name == last.name and not view.upgrading:
            last = wanted
        old = self._desire.manifests(view, last.spec, last.version, owner)
        record = view.upgrade
        failed = record is not None and record.phase is Phase.ROLLED_BACK and not self._step(view, wanted)
        back = failed or (record is not None and record.phase is Phase.ROLLING_BACK)
        new = () if back else self._desire.manifests(view, wanted.spec, wanted.version, owner)
        view = self._observed(replace(view, desired=(*old, *new)), owner)
        result = Outcome("waiting")
        if record is not None and record.under_way:
            view = self._course(view, record, old, new, last, wanted)
            result = self._outcome(view, record, owner)
        after = record if view.paused else advance(record, self._seen(view, wanted, result))
        if after is None or (after == record and after.under_way):
            return view
        return self._course(replace(view, upgrade=after), after, old, new, last, wanted)

    def _step(self, view: View, wanted: Release) -> bool:
        """Whether the record changes without anything that the cluster shows."""
        return advance(view.upgrade, self._seen(view, wanted, WAITING)) != view.upgrade

    def _seen(self, view: View, wanted: Release, result: Outcome) -> Seen:
        installed = str(view.previous.get("release", ""))
        return Seen(installed, wanted.name, view.generation, view.requests.retry, view.now, result)

    def _outcome(self, view: View, record: Upgrade, owner: Owner) -> Outcome:
        if record.phase is Phase.SNAPSHOT:
            return self._snapshot(owner, view, record)
        observed = view.observed
        return outcome(record, view.plan, view.desired, observed.live, observed.pods, view.now)

    def _course(
        self,
        view: View,
        record: Upgrade,
        old: tuple[Manifest, ...],
        new: tuple[Manifest, ...],
        last: Release,
        wanted: Release,
    ) -> View:
        found: Course = course(record.phase, record.attempts, old, new, view.observed.live)
        view = self._released(view, last if record.phase in OLD_SERVICES else wanted)
        view = replace(view, desired=found.desired)
        # Nothing of the new release may run ahead of its migrations.
        installed = record.phase is not Phase.MIGRATIONS
        return self._planned(view, Rollout(found.gated, installed, found.free, found.hold))

    def _released(self, view: View, release: Release) -> View:
        return replace(view, spec=release.spec, version=release.version, release=release.name)

    def _observed(self, view: View, owner: Owner) -> View:
        observed = observe(self._cluster, owner, {item.ref for item in view.desired})
        if view.spec is None:
            return replace(view, observed=observed)
        silent, parts = (
            {name: why for name, those in addresses.items() if (why := unreachable(those))}
            for addresses in (external_addresses(view.spec), external_parts(view.spec))
        )
        return replace(view, observed=observed, unreachable=silent, parts_unreachable=parts)

    def _planned(self, view: View, rollout: Rollout) -> View:
        if self._watchful is not None:
            view = self._watchful.asked(view)
        observed = view.observed
        waits = tuple(view.unreachable.values())
        view = replace(view, plan=plan(view.desired, observed.live, observed.foreign, rollout, waits))
        return view if self._watchful is None else self._watchful.resized(self._watchful.judged(view))


def last_good(status: Mapping[str, Any], declared: PaymentPlatformSpec) -> Release | None:
    """The release that ran completely last, as recorded; only pausing is always as declared.

    None when there is no record, or none that this operator understands: another one may have written it, or
    an old CRD may have left something out. Then the platform goes on without a way back.
    """
    found = status.get("lastGood")
    if not found:
        return None
    try:
        spec = parse(found["spec"]).model_copy(update={"paused": declared.paused})
    except InvalidSpec as problem:
        logger.warning("status.lastGood is of no use: %s", problem)
        return None
    if release_of(spec, found["version"]) != found["release"]:
        return None
    return Release(found["version"], found["release"], spec)
