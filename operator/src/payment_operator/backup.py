"""Backups: the Job that makes one now, and what the Jobs that ran tell. Pure.

A Job is made of the CronJob ``backup`` as ``kubectl create job --from`` does it, and belongs to it, so that
the CronJob's limits clean it up. Whoever needs a backup before something risky creates ``job_now`` with a
request of its own, such as "before-0.2.0", and looks for ``job_name`` of it among ``runs``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cronsim import CronSim, CronSimError

from payment_operator.kinds import COMPONENT_LABEL
from payment_operator.manifest import digest
from payment_operator.readiness import complete_job, failed_job

Object = Mapping[str, Any]
COMPONENT = "backup"
#: Of the CronJob that archives the log.
ARCHIVE = "wal-archive"
JOB_LABEL = "batch.kubernetes.io/job-name"
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One Job that ended, with what its pod told if that is still there.

    ``name`` is the backup's, or the last archived file's; ``taken_at`` its moment. ``restorable_from`` is the
    first moment that the archived log leads to.
    """

    job: str
    ended: str
    failure: str = ""
    name: str = ""
    taken_at: str = ""
    restorable_from: str = ""


def job_name(request: str) -> str:
    """Of the Job that serves a request; the same for the same request."""
    return f"{COMPONENT}-now-{digest(request)[:10]}"


def job_now(cron_job: Object, request: str) -> dict[str, Any]:
    """The Job (batch/v1) that makes a backup at once. ``cron_job`` is the live one."""
    metadata, template = cron_job["metadata"], cron_job["spec"]["jobTemplate"]
    reference = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(request),
            "labels": dict(template.get("metadata", {}).get("labels", {})),
            "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
            "ownerReferences": [reference],
        },
        "spec": template["spec"],
    }


def runs(jobs: Iterable[Object], pods: Sequence[Object], component: str = COMPONENT) -> list[Run]:
    """The Jobs of a component that ended, oldest first."""
    found = []
    for job in jobs:
        if job["metadata"].get("labels", {}).get(COMPONENT_LABEL) != component:
            continue
        name = job["metadata"]["name"]
        words = last_words(pods, name)
        if complete_job(job):
            ended = str(job["status"].get("completionTime", ""))
            told = (words.get(key, "") for key in ("name", "takenAt", "restorableFrom"))
            found.append(Run(name, ended, "", *told))
        elif (why := failed_job(job)) is not None:
            found.append(Run(name, _failed_at(job), words.get("error") or why))
    return sorted(found, key=lambda run: run.ended)


def last_words(pods: Sequence[Object], job: str) -> dict[str, str]:
    """What the containers of a Job said when they ended: JSON of our programs, else the end of the log."""
    newest: tuple[str, dict[str, str]] = "", {}
    for pod in pods:
        if pod["metadata"].get("labels", {}).get(JOB_LABEL) != job:
            continue
        status = pod.get("status", {})
        for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
            ended = container.get("state", {}).get("terminated") or {}
            text = str(ended.get("message") or "").strip()
            if text and str(ended.get("finishedAt", "")) >= newest[0]:
                newest = str(ended.get("finishedAt", "")), _read(text)
    return newest[1]


def interval(schedule: str, now: datetime) -> timedelta | None:
    """Between the next two times of a time table; None without one, or for one that cron cannot read."""
    try:
        ticks = CronSim(_MACROS.get(schedule, schedule), now.astimezone(UTC))
        first, second = next(ticks), next(ticks)
    except (CronSimError, StopIteration):
        return None
    return second - first


def _read(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        return {"error": " ".join(text.split())[-300:]}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _failed_at(job: Object) -> str:
    for condition in job["status"]["conditions"]:
        if condition["type"] == "Failed":
            return str(condition.get("lastTransitionTime", ""))
    return ""
