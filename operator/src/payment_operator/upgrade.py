"""The steps of a change of version: a pure function from what is recorded and seen to what is recorded next.

    Preflight → Snapshot → Migrations → Services → Smoke → Done
        └──────────┴────────┐    └──────────┴────────┴──→ RollingBack → RolledBack
                            └─ nothing was touched yet ────────────────────┘

The record is ``status.upgrade``; it is written before a phase begins, so an operator that is killed in any
phase goes on in it. A rollback is of the services alone: data stays as it is, for migrations only expand.
After one there is no other try until the spec changes or a person asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple


class Phase(StrEnum):
    """Where an upgrade stands."""

    PREFLIGHT = "Preflight"
    SNAPSHOT = "Snapshot"
    MIGRATIONS = "Migrations"
    SERVICES = "Services"
    SMOKE = "Smoke"
    DONE = "Done"
    ROLLING_BACK = "RollingBack"
    ROLLED_BACK = "RolledBack"


FORWARD = (Phase.PREFLIGHT, Phase.SNAPSHOT, Phase.MIGRATIONS, Phase.SERVICES, Phase.SMOKE, Phase.DONE)
ENDED = frozenset({Phase.DONE, Phase.ROLLED_BACK})
#: Nothing of the new version is applied in these, but what looks and copies.
UNTOUCHED = frozenset({Phase.PREFLIGHT, Phase.SNAPSHOT})
#: Seconds that a phase may take. A rollback takes as long as it takes.
DEADLINES: Mapping[Phase, float] = {
    Phase.PREFLIGHT: 300,
    Phase.SNAPSHOT: 3600,
    Phase.MIGRATIONS: 1800,
    Phase.SERVICES: 900,
    Phase.SMOKE: 180,
}
REASON_LIMIT = 700


class Check(NamedTuple):
    """One finding of the preflight."""

    name: str
    ok: bool
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the present phase goes. ``note`` is kept as ``snapshot`` in that phase."""

    state: Literal["waiting", "done", "failed"]
    text: str = ""
    checks: tuple[Check, ...] = ()
    note: str = ""


WAITING = Outcome("waiting")


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The record. ``origin`` and ``to`` are releases: version and where its images come from."""

    origin: str
    to: str
    phase: Phase
    started_at: datetime
    since: datetime
    attempts: int = 1
    reason: str = ""
    snapshot: str = ""
    generation: int = 0
    retry: str = ""
    checks: tuple[Check, ...] = field(default=())

    @property
    def under_way(self) -> bool:
        """Whether it has not ended."""
        return self.phase not in ENDED

    @property
    def new_services(self) -> bool:
        """Whether the services are to be those of the new release."""
        return self.phase in (Phase.SERVICES, Phase.SMOKE, Phase.DONE)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a step depends on beside the record: ``retry`` is the annotation."""

    installed: str
    wanted: str
    generation: int
    retry: str
    now: datetime
    outcome: Outcome = WAITING


def advance(record: Upgrade | None, seen: Seen) -> Upgrade | None:
    """The record after one step; the same one when there is nothing to do."""
    if record is None or not record.under_way:
        return _begin(record, seen)
    if record.phase is Phase.ROLLING_BACK:
        if seen.outcome.state != "done":
            return record
        return _to(record, Phase.ROLLED_BACK, seen)
    if seen.wanted != record.to:
        return _abandon(record, seen)
    record = replace(record, generation=seen.generation, retry=seen.retry)
    outcome = _within_deadline(record, seen)
    if outcome.state == "waiting":
        return record
    if outcome.state == "failed":
        return _fail(replace(record, checks=outcome.checks or record.checks), seen, outcome.text)
    record = replace(
        record,
        checks=outcome.checks or record.checks,
        snapshot=outcome.note if record.phase is Phase.SNAPSHOT else record.snapshot,
    )
    return _to(record, FORWARD[FORWARD.index(record.phase) + 1], seen)


def _begin(record: Upgrade | None, seen: Seen) -> Upgrade | None:
    """A new upgrade when another release is wanted, unless this one failed and nobody asked again."""
    if seen.wanted == seen.installed:
        return record
    failed = record is not None and record.phase is Phase.ROLLED_BACK and record.to == seen.wanted
    attempts = 1
    if failed and record is not None:
        if (record.generation, record.retry) == (seen.generation, seen.retry):
            return record
        attempts = record.attempts + 1
    return Upgrade(
        seen.installed,
        seen.wanted,
        Phase.PREFLIGHT,
        seen.now,
        seen.now,
        attempts=attempts,
        generation=seen.generation,
        retry=seen.retry,
    )


def _abandon(record: Upgrade, seen: Seen) -> Upgrade | None:
    """The spec names another release while this one is on its way."""
    if record.phase in UNTOUCHED:
        if seen.wanted != record.origin:
            return _begin(None, seen)
        return _to(
            replace(record, reason=f"given up: the spec names {seen.wanted} again"), Phase.ROLLED_BACK, seen
        )
    return _to(replace(record, reason=f"given up: the spec names {seen.wanted}"), Phase.ROLLING_BACK, seen)


def _within_deadline(record: Upgrade, seen: Seen) -> Outcome:
    limit = DEADLINES[record.phase]
    if seen.outcome.state != "waiting" or (seen.now - record.since).total_seconds() <= limit:
        return seen.outcome
    return replace(seen.outcome, state="failed", text=f"not done within {limit:.0f} s: {seen.outcome.text}")


def _fail(record: Upgrade, seen: Seen, text: str) -> Upgrade:
    after = Phase.ROLLED_BACK if record.phase in UNTOUCHED else Phase.ROLLING_BACK
    reason = f"{record.phase}: {' '.join(text.split())}".rstrip(": ")[:REASON_LIMIT]
    return _to(replace(record, reason=reason), after, seen)


def _to(record: Upgrade, phase: Phase, seen: Seen) -> Upgrade:
    return replace(record, phase=phase, since=seen.now)


def to_status(record: Upgrade) -> dict[str, Any]:
    """As ``status.upgrade``."""
    return {
        "from": record.origin,
        "to": record.to,
        "phase": record.phase.value,
        "startedAt": _time(record.started_at),
        "phaseSince": _time(record.since),
        "attempts": record.attempts,
        "reason": record.reason,
        "snapshot": record.snapshot,
        "observedGeneration": record.generation,
        "retry": record.retry,
        "preflight": [check._asdict() for check in record.checks],
    }


def from_status(status: Mapping[str, Any]) -> Upgrade | None:
    """What ``to_status`` wrote; None when there is none or it cannot be read."""
    found = status.get("upgrade")
    if not found:
        return None
    return Upgrade(
        found["from"],
        found["to"],
        Phase(found["phase"]),
        datetime.fromisoformat(found["startedAt"]),
        datetime.fromisoformat(found["phaseSince"]),
        found["attempts"],
        found.get("reason", ""),
        found.get("snapshot", ""),
        found.get("observedGeneration", 0),
        found.get("retry", ""),
        tuple(Check(item["name"], item["ok"], item["message"]) for item in found.get("preflight", [])),
    )


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
