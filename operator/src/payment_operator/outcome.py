"""How the present phase of an upgrade goes, from what the cluster shows. Pure.

Whatever is judged came after the phase began, so that an old sorrow of the platform is not held against the
new version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from payment_operator.kinds import COMPONENT_LABEL, Ref
from payment_operator.manifest import Manifest
from payment_operator.phases import JOBS, NAME_LABEL, SERVICES
from payment_operator.plan import Plan
from payment_operator.readiness import BROKEN, complete_job, failed_job
from payment_operator.upgrade import WAITING, Check, Outcome, Phase, Upgrade

Object = Mapping[str, Any]
JOB_LABEL = "batch.kubernetes.io/job-name"
#: Seconds that a pod may be without its image or its configuration, for a registry may stumble.
START_GRACE = 15.0
#: Restarts after which a container that ends counts as one that always will.
RESTARTS = 2
NONE = Outcome("done", "none", note="none")


def outcome(
    record: Upgrade,
    plan: Plan,
    desired: Sequence[Manifest],
    live: Mapping[Ref, Object],
    pods: Iterable[Object],
    now: datetime,
) -> Outcome:
    """``plan`` is the one of the present phase, made of ``desired``. The snapshot is not looked at here."""
    young = [pod for pod in pods if _time(pod["metadata"]["creationTimestamp"]) >= record.since]
    if record.phase in (Phase.PREFLIGHT, Phase.SMOKE):
        return _probe(record, desired, live, young, now)
    if record.phase is Phase.MIGRATIONS:
        jobs = [item.ref.name for item in desired if item.ref.kind == "Job" and item.wave == JOBS]
        return _migrations(plan, jobs, live, young, now)
    if record.phase is Phase.SERVICES:
        names = {item.ref.name for item in desired if item.ref.kind == "Deployment" and not item.part}
        own = [pod for pod in young if pod["metadata"].get("labels", {}).get(NAME_LABEL) in names]
        broken = hopeless(own, now)
        return Outcome("failed", broken) if broken else _complete(plan)
    return _complete(plan) if record.phase is Phase.ROLLING_BACK else WAITING


def hopeless(pods: Iterable[Object], now: datetime) -> str | None:
    """The first pod that will not start however long one waits, with its cause; None when there is none."""
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["name"])):
        if pod["metadata"].get("deletionTimestamp"):
            continue
        age = (now - _time(pod["metadata"]["creationTimestamp"])).total_seconds()
        for container in _containers(pod):
            waiting = container.get("state", {}).get("waiting") or {}
            why = waiting.get("reason")
            patient = (
                container.get("restartCount", 0) < RESTARTS
                if why == "CrashLoopBackOff"
                else age < START_GRACE
            )
            if why in BROKEN and not patient:
                said = said_last(container) or waiting.get("message", "")
                return f"pod {pod['metadata']['name']}: {why}: {said}"
    return None


def said_last(container: Object) -> str:
    """The last line that a container left when it ended."""
    for state in ("state", "lastState"):
        text = str((container.get(state, {}).get("terminated") or {}).get("message", "")).strip()
        if text:
            return text.splitlines()[-1]
    return ""


def report(pods: Iterable[Object]) -> dict[str, Any]:
    """The termination message, in JSON, of the newest of a Job's pods; {} when there is none."""
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), reverse=True):
        for container in pod.get("status", {}).get("containerStatuses", []):
            if found := said({"message": said_last(container)}):
                return found
    return {}


def said(terminated: Object) -> dict[str, Any]:
    """The last line of a termination message as JSON; {} when it is none."""
    try:
        found = json.loads(str(terminated.get("message", "")).strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


def _probe(
    record: Upgrade,
    desired: Sequence[Manifest],
    live: Mapping[Ref, Object],
    pods: list[Object],
    now: datetime,
) -> Outcome:
    component = record.phase.value.lower()
    refs = [item.ref for item in desired if item.body["metadata"]["labels"].get(COMPONENT_LABEL) == component]
    jobs = [ref for ref in refs if ref.kind == "Job"]
    if not jobs:
        return Outcome("done", "none")
    found = live.get(jobs[0])
    if found is None:
        return Outcome("waiting", f"{jobs[0]} is not there yet")
    own = [pod for pod in pods if pod["metadata"].get("labels", {}).get(JOB_LABEL) == jobs[0].name]
    told = report(own)
    checks = tuple(
        Check(str(item["name"]), bool(item["ok"]), str(item["message"])[:300])
        for item in told.get("checks", [])
    )
    if complete_job(found):
        return Outcome("done", "", (Check("images", True, "all can be had"), *checks) if checks else ())
    failure, broken = failed_job(found), hopeless(own, now)
    if broken and any(word in broken for word in ("Pull", "ImageName")):
        return Outcome("failed", broken, (Check("images", False, broken[:300]),))
    if failure or broken:
        wrong = "; ".join(f"{item.name}: {item.message}" for item in checks if not item.ok)
        return Outcome(
            "failed", wrong or str(told.get("message", "")) or broken or _last(own) or failure or "", checks
        )
    return Outcome("waiting", f"{jobs[0]} runs")


def _migrations(
    plan: Plan, jobs: Sequence[str], live: Mapping[Ref, Object], pods: list[Object], now: datetime
) -> Outcome:
    for name in jobs:
        own = [pod for pod in pods if pod["metadata"].get("labels", {}).get(JOB_LABEL) == name]
        found = live.get(Ref("Job", name))
        failure = failed_job(found) if found else None
        if failure:
            return Outcome("failed", f"Job/{name}: {failure}: {_last(own)}")
        broken = hopeless(own, now)
        if broken:
            return Outcome("failed", f"Job/{name}: {broken}")
    through = plan.wave is None or plan.wave >= SERVICES
    return Outcome("done") if through and not _pending(plan, below=SERVICES) else _waits(plan)


def _complete(plan: Plan) -> Outcome:
    return _waits(plan) if plan.waits or plan.apply or plan.conflicts else Outcome("done")


def _pending(plan: Plan, below: int) -> bool:
    return any(item.wave < below for item in plan.apply)


def _waits(plan: Plan) -> Outcome:
    return Outcome("waiting", "; ".join(plan.waits[:3]))


def _last(pods: Iterable[Object]) -> str:
    lines = [line for pod in pods for container in _containers(pod) if (line := said_last(container))]
    return lines[-1] if lines else ""


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
