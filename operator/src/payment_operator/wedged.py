"""Which services are restarted because they hang though their probes are green, and when it is enough. Pure.

The Deployment itself remembers its restarts, so that the limit holds whoever leads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from payment_operator.kinds import GROUP
from payment_operator.readiness import ready_replicas, unready
from payment_operator.spec import PaymentPlatformSpec

Object = Mapping[str, Any]
#: On the Deployment: its restarts of the last hour. On its pods: the last one, which makes them new.
RESTARTS_ANNOTATION, RESTARTED_ANNOTATION = f"{GROUP}/restarts", f"{GROUP}/restarted-at"
HOUR = timedelta(hours=1)
PER_HOUR = 3
#: What services need to work; while one of these is away, or was lately, none of them is to blame.
NEEDS = ("PostgresReady", "RedisReady", "KafkaReady")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of a service that seems to hang: ``restarts`` of the last hour, with the new one when it is ``due``.

    Neither ``due`` nor ``exhausted``: the last restart is given time to help.
    """

    name: str
    why: str
    restarts: Sequence[datetime]
    limit: int
    due: bool = False
    exhausted: bool = False


def limit_of(spec: PaymentPlatformSpec) -> int:
    """Restarts of a service in an hour; 0: none at all."""
    wanted = spec.health.restarts if spec.health else None
    if wanted is None:
        return PER_HOUR
    if wanted.enabled is False:
        return 0
    return PER_HOUR if wanted.per_hour is None else wanted.per_hour


def sound(status: Object, now: datetime, settle: timedelta) -> bool:
    """Whether all that services need has been there for ``settle``, by the conditions of the last look."""
    found = {item["type"]: item for item in status.get("conditions", [])}
    return all(
        name in found
        and found[name]["status"] == "True"
        and now - datetime.fromisoformat(found[name]["lastTransitionTime"]) >= settle
        for name in NEEDS
    )


def judge(
    stuck: Mapping[str, str],
    deployments: Mapping[str, Object | None],
    limit: int,
    now: datetime,
    settle: timedelta,
) -> tuple[Verdict, ...]:
    """``stuck`` says why by service. One that rolls out or is not ready is the kubelet's affair."""
    verdicts = []
    for name, why in sorted(stuck.items()):
        live = deployments.get(name)
        if live is None or not limit or unready(live) is not None or ready_replicas(live)[0] == 0:
            continue
        past = restarts_of(live, now)
        if past and now - past[-1] < settle:
            verdicts.append(Verdict(name, why, past, limit))
        elif len(past) >= limit:
            verdicts.append(Verdict(name, why, past, limit, exhausted=True))
        else:
            verdicts.append(Verdict(name, why, (*past, now), limit, due=True))
    return tuple(verdicts)


def restarts_of(live: Object, now: datetime) -> tuple[datetime, ...]:
    """Those of the last hour, as the Deployment remembers them; what is no time is not counted."""
    text = (live["metadata"].get("annotations") or {}).get(RESTARTS_ANNOTATION, "")
    found = []
    for item in text.split(","):
        try:
            at = datetime.fromisoformat(item)
        except ValueError:
            continue
        if at.tzinfo is not None and timedelta() <= now - at < HOUR:
            found.append(at)
    return tuple(sorted(found))


def restarted(live: Object, verdict: Verdict) -> dict[str, Any]:
    """The fields of a Deployment that restart it: its pods are replaced as in any rollout."""
    times = [item.isoformat(timespec="seconds") for item in verdict.restarts]
    return {
        "apiVersion": live["apiVersion"],
        "kind": live["kind"],
        "metadata": {
            "name": live["metadata"]["name"],
            "uid": live["metadata"]["uid"],
            "annotations": {RESTARTS_ANNOTATION: ",".join(times)},
        },
        "spec": {"template": {"metadata": {"annotations": {RESTARTED_ANNOTATION: times[-1]}}}},
    }


def told(verdict: Verdict) -> str:
    """For an Event or a condition."""
    count = f"{len(verdict.restarts)} of {verdict.limit} restarts in an hour"
    return f"{verdict.name} hangs though its probes are green ({verdict.why}): {count}"
