"""What the status says about backups and about the backup that a platform was made from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from payment_operator.backup import COMPONENT, interval, last_words, runs
from payment_operator.finding import Finding
from payment_operator.kinds import Ref
from payment_operator.readiness import complete_job
from payment_operator.requests import BACKUP_ANNOTATION
from payment_operator.view import View

#: A backup that is older than so many intervals of its time table is overdue.
INTERVALS = 2
CRON_JOB = Ref("CronJob", COMPONENT)


def backup_status(view: View) -> dict[str, Any]:
    """``status.backup``: the last success, the last failure and the request that was served last."""
    status = dict(view.previous.get("backup") or {})
    for run in runs(view.observed.runs, view.observed.pods):
        if run.failure:
            if run.ended >= status.get("lastFailure", {}).get("time", ""):
                status["lastFailure"] = {"time": run.ended, "job": run.job, "message": run.failure[:500]}
        elif run.ended >= status.get("lastSuccessful", ""):
            known = {"lastName": run.name} if run.name else {}
            status |= {"lastSuccessful": run.ended} | known
    if view.backup_served:
        status["request"] = view.backup_served
    return status


def backups_finding(view: View, status: Mapping[str, Any]) -> Finding:
    """The condition BackupsCurrent."""
    request = view.requests.backup
    live = view.observed.live.get(CRON_JOB)
    if not view.desired:
        return Finding("Unknown", "Reconciling", "not looked at yet")
    if all(item.ref != CRON_JOB for item in view.desired):
        if request and request != status.get("request"):
            text = f"annotation {BACKUP_ANNOTATION}: set spec.backup.enabled, or take the annotation away"
            return Finding("False", "Disabled", text)
        return Finding("Unknown", "Disabled", "spec.backup.enabled is false")
    last, failure = status.get("lastSuccessful", ""), status.get("lastFailure") or {}
    if failure and failure["time"] > last:
        look = f"kubectl -n {view.namespace} logs job/{failure['job']} --all-containers"
        return Finding(
            "False",
            "BackupFailed",
            f"Job/{failure['job']} failed at {failure['time']}: {failure['message']}: see {look}",
        )
    if live is None:
        return Finding("Unknown", "Waiting", f"{CRON_JOB} is not there yet")
    schedule = "" if live["spec"].get("suspend") else str(live["spec"]["schedule"])
    every = interval(schedule, view.now) if schedule else None
    since = datetime.fromisoformat(last or live["metadata"].get("creationTimestamp", view.now.isoformat()))
    if every is not None and view.now - since > INTERVALS * every:
        what = f"the last backup is of {last}" if last else "there was never a backup"
        look = f"kubectl -n {view.namespace} get cronjob,job -l app.kubernetes.io/name={COMPONENT}"
        return Finding("False", "BackupOverdue", f"{what}, the time table is {schedule!r}: see {look}")
    if not last:
        return Finding("Unknown", "NoneYet", "no backup was made yet")
    return Finding("True", "Current", f"backup {status.get('lastName', '')} of {last}")


def restore_status(view: View) -> dict[str, Any] | None:
    """``status.restore``: which backup the platform was made from, once its books were proven right."""
    known: dict[str, Any] | None = view.previous.get("restore")
    if known or not _asked(view):
        return known
    for ref, live in view.jobs("restore-check"):
        if live is not None and complete_job(live):
            words = last_words(view.observed.pods, ref.name)
            name = words.get("name") or _asked(view)
            taken = {"takenAt": words["takenAt"]} if words.get("takenAt") else {}
            return {"name": name, "completedAt": str(live["status"].get("completionTime", ""))} | taken
    return None


def _asked(view: View) -> str:
    return view.spec.restore_from.name if view.spec and view.spec.restore_from else ""
