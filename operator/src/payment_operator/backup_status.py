"""What the status says about backups and about the backup that a platform was made from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from payment_operator.backup import ARCHIVE, COMPONENT, interval, last_words, runs
from payment_operator.finding import Finding
from payment_operator.kinds import Ref
from payment_operator.readiness import complete_job
from payment_operator.requests import BACKUP_ANNOTATION
from payment_operator.view import View

#: A backup that is older than so many intervals of its time table is overdue.
INTERVALS = 2
CRON_JOB = Ref("CronJob", COMPONENT)
ARCHIVER = Ref("CronJob", ARCHIVE)
#: The log is behind when so many runs in a row, and for at least so long, archived nothing.
RUNS, BEHIND = 5, timedelta(minutes=10)


def backup_status(view: View) -> dict[str, Any]:
    """``status.backup``: the last success, the last failure and the request that was served last."""
    status = dict(view.previous.get("backup") or {})
    for run in runs(view.observed.runs, view.observed.pods):
        if run.failure:
            if run.ended >= status.get("lastFailure", {}).get("time", ""):
                status["lastFailure"] = {"time": run.ended, "job": run.job, "message": run.failure[:500]}
        elif run.ended >= status.get("lastSuccessful", ""):
            known = {"lastName": run.name} if run.name else {}
            since = {"restorableFrom": run.restorable_from} if run.restorable_from else {}
            status |= {"lastSuccessful": run.ended} | known | since
    for run in runs(view.observed.runs, view.observed.pods, ARCHIVE):
        if run.name and run.taken_at > status.get("lastArchivedTime", ""):
            status |= {"lastArchivedWal": run.name, "lastArchivedTime": run.taken_at}
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
    if behind := _archive_behind(view, status):
        return behind
    if not last:
        return Finding("Unknown", "NoneYet", "no backup was made yet")
    return Finding("True", "Current", f"backup {status.get('lastName', '')} of {last}")


def _archive_behind(view: View, status: Mapping[str, Any]) -> Finding | None:
    """False when the log that came lately is in no store, though it is to be archived."""
    live = view.observed.live.get(ARCHIVER)
    if live is None or all(item.ref != ARCHIVER for item in view.desired):
        return None
    last = status.get("lastArchivedTime", "")
    created = datetime.fromisoformat(live["metadata"].get("creationTimestamp", view.now.isoformat()))
    # An archive that was off for a while has an old time to tell, and needs some to catch up.
    since = max(created, datetime.fromisoformat(last)) if last else created
    every = interval(str(live["spec"]["schedule"]), view.now) or BEHIND
    if view.now - since <= max(RUNS * every, BEHIND):
        return None
    failures = [run.failure for run in runs(view.observed.runs, view.observed.pods, ARCHIVE) if run.failure]
    why = f" ({failures[-1][:300]})" if failures else ""
    look = f"kubectl -n {view.namespace} logs -l app.kubernetes.io/name={ARCHIVE} --tail=20"
    until = f"is archived up to {last} only" if last else "was never archived"
    return Finding("False", "ArchiveBehind", f"the log of PostgreSQL {until}{why}: see {look}")


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
    asked = view.spec.restore_from if view.spec else None
    return (asked.name or asked.target_time or "") if asked else ""
