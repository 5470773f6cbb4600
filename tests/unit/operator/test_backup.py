"""Backups on request, what their Jobs tell, and the platform that starts from one."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from payment_operator.backup import interval, job_name, job_now, last_words, runs
from payment_operator.kinds import Ref
from payment_operator.requests import BACKUP_ANNOTATION
from payment_operator.status import status_of
from payment_operator.values import parse
from tests.unit.operator.builders import Object, applied, document, job, wanted
from tests.unit.operator.test_status import NOW, found, look, pairs
from tests.unit.operator.world import PLATFORM_LABELS, World

LABELS = {"app.kubernetes.io/component": "backup", **PLATFORM_LABELS}
CRON_JOB = wanted(
    "CronJob",
    "backup",
    4,
    spec={"schedule": "0 2 * * *", "jobTemplate": {"metadata": {"labels": LABELS}, "spec": {"a": 1}}},
)


def ended(name: str, at: str, *, failed: str = "", said: object = None) -> tuple[Object, Object]:
    """A Job that ended and its pod."""
    kind = {"type": "Failed" if failed else "Complete", "status": "True", "lastTransitionTime": at}
    status: dict[str, Any] = {"conditions": [kind | ({"message": failed} if failed else {})]}
    status |= {} if failed else {"completionTime": at}
    text = said if isinstance(said, str) else json.dumps(said) if said else ""
    terminated = {"terminated": {"finishedAt": at, "message": text}}
    pod = {
        "metadata": {
            "name": f"{name}-x",
            "labels": {"batch.kubernetes.io/job-name": name},
            "creationTimestamp": at,
        },
        "status": {"phase": "Succeeded", "containerStatuses": [{"name": "backup", "state": terminated}]},
    }
    return {"kind": "Job", "metadata": {"name": name, "labels": LABELS}, "status": status}, pod


def view_with(*pairs_of: tuple[Object, Object], spec: Object | None = None, **fields: Any) -> Any:
    """A healthy platform with backups, and Jobs that ended."""
    live = applied(CRON_JOB)
    live["metadata"]["creationTimestamp"] = "2025-12-31T12:00:00Z"
    view = look([*pairs(), (CRON_JOB, live)], **fields)
    observed = replace(view.observed, runs=[item for item, _ in pairs_of], pods=[pod for _, pod in pairs_of])
    return replace(view, observed=observed, spec=parse({"profile": "dev"} | (spec or {})))


def at(hours: float) -> str:
    return (NOW + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_last_success_and_its_name_are_told() -> None:
    said = {"name": "b2", "takenAt": at(-2)}
    view = view_with(ended("b-1", at(-3), said={"name": "b1"}), ended("b-2", at(-2), said=said))
    assert status_of(view)["backup"] == {"lastSuccessful": at(-2), "lastName": "b2"}
    assert found(view)["BackupsCurrent"][:2] == ("True", "Current")
    # Its Job was cleaned up since: what was known stays.
    later = replace(view_with(), previous=view.previous | {"backup": status_of(view)["backup"]})
    assert status_of(later)["backup"]["lastName"] == "b2"


def test_a_failure_is_degraded_until_the_next_success() -> None:
    bad = ended("b-2", at(-1), failed="BackoffLimitExceeded", said={"error": "not reached: bucket"})
    view = view_with(ended("b-1", at(-3), said={"name": "b1"}), bad)
    status, reason, message = found(view)["Degraded"]
    assert (status, reason) == ("True", "BackupFailed")
    assert "not reached: bucket" in message and "kubectl -n shop logs job/b-2" in message
    healed = view_with(bad, ended("b-3", at(-0.5), said={"name": "b3"}))
    assert found(healed)["Degraded"][0] == "False"
    assert status_of(healed)["backup"]["lastFailure"]["job"] == "b-2"


def test_a_backup_older_than_two_intervals_is_overdue() -> None:
    assert found(view_with(ended("b-1", at(-47), said={"name": "b1"})))["BackupsCurrent"][1] == "Current"
    overdue = view_with(ended("b-1", at(-49), said={"name": "b1"}))
    assert found(overdue)["BackupsCurrent"][:2] == ("False", "BackupOverdue")
    assert found(overdue)["Degraded"][1] == "BackupOverdue"
    assert found(view_with(now=NOW + timedelta(days=30)))["Degraded"][1] == "BackupOverdue"


ARCHIVER = wanted("CronJob", "wal-archive", 4, spec={"schedule": "*/1 * * * *"})


def archiving(*archived: tuple[Object, Object], created: float = -2) -> Any:
    """A platform with a backup of an hour ago, whose log is archived since so many hours."""
    view = view_with(ended("b-1", at(-1), said={"name": "b1", "restorableFrom": at(-1.1)}))
    live = applied(ARCHIVER)
    live["metadata"]["creationTimestamp"] = at(created)
    jobs = [item | {"metadata": item["metadata"] | {"labels": ARCHIVE_LABELS}} for item, _ in archived]
    observed = replace(
        view.observed,
        live=view.observed.live | {ARCHIVER.ref: live},
        runs=[*view.observed.runs, *jobs],
        pods=[*view.observed.pods, *(pod for _, pod in archived)],
    )
    return replace(view, observed=observed, desired=(*view.desired, ARCHIVER))


ARCHIVE_LABELS = {"app.kubernetes.io/component": "wal-archive", **PLATFORM_LABELS}


def test_the_span_that_can_be_restored_is_told() -> None:
    runs_of_it = [
        ended(f"w-{n}", at(n / 60), said={"name": f"{n + 9:024X}", "takenAt": at(n / 60)}) for n in (-2, -1)
    ]
    view = archiving(*runs_of_it)
    told = status_of(view)["backup"]
    assert told["lastName"] == "b1", "a file of the log is no backup"
    assert (told["lastArchivedWal"], told["lastArchivedTime"]) == (f"{8:024X}", at(-1 / 60))
    assert told["restorableFrom"] == at(-1.1)
    assert found(view)["BackupsCurrent"][:2] == ("True", "Current")
    later = replace(archiving(), previous=view.previous | {"backup": told})
    assert status_of(later)["backup"]["lastArchivedTime"] == at(-1 / 60), "what was known stays"


def test_an_archive_that_falls_behind_is_degraded_with_its_cause() -> None:
    good = ended("w-1", at(-0.3), said={"name": "A" * 24, "takenAt": at(-0.3)})
    bad = ended("w-2", at(-0.01), failed="BackoffLimitExceeded", said={"error": "not reached: bucket"})
    view = archiving(good, bad)
    status, reason, message = found(view)["BackupsCurrent"]
    assert (status, reason) == ("False", "ArchiveBehind")
    assert f"up to {at(-0.3)} only (not reached: bucket)" in message
    assert "-l app.kubernetes.io/name=wal-archive" in message
    assert found(view)["Degraded"][:2] == ("True", "ArchiveBehind")
    fresh = ended("w-1", at(-0.1), said={"name": "A" * 24, "takenAt": at(-0.1)})
    assert found(archiving(fresh, bad))["BackupsCurrent"][0] == "True", "one failure is no trouble yet"


def test_an_archive_that_has_only_begun_is_given_time() -> None:
    assert found(archiving(created=-0.1))["BackupsCurrent"][0] == "True"
    status, reason, message = found(archiving(created=-0.2))["BackupsCurrent"]
    assert (status, reason) == ("False", "ArchiveBehind") and "was never archived" in message


@pytest.mark.parametrize(
    ("schedule", "hours"), [("0 2 * * *", 24), ("@hourly", 1), ("@weekly", 168), ("*/30 * * * *", 0.5)]
)
def test_intervals(schedule: str, hours: float) -> None:
    assert interval(schedule, datetime(2026, 11, 23, 12, 3, tzinfo=UTC)) == timedelta(hours=hours)


def test_a_time_table_that_nobody_can_read() -> None:
    assert interval("61 * * * *", NOW) is None


def test_words_that_are_no_json_are_the_end_of_a_log() -> None:
    _, pod = ended("b-1", at(-1), failed="x", said="psql: error:\n  no route to host")
    assert last_words([pod], "b-1") == {"error": "psql: error: no route to host"}
    assert last_words([pod], "b-2") == {}
    other, its_pod = ended("v-1", at(-1))
    other["metadata"]["labels"] = {"app.kubernetes.io/component": "verification"}
    assert runs([other], [its_pod]) == []


def test_a_request_makes_one_job_of_the_cron_job(tmp_path: Path) -> None:
    world = World.fake(tmp_path)
    template = {"metadata": {"labels": LABELS}, "spec": {"template": {}}}
    cron_job = document(
        "CronJob", "backup", 4, labels=PLATFORM_LABELS, spec={"schedule": "@daily", "jobTemplate": template}
    )
    usual = world.render
    world.render = lambda values: [*usual(values), cron_job]
    platform = world.declare()
    world.settle()
    platform["metadata"]["annotations"] = {BACKUP_ANNOTATION: "now-1"}
    world.run()
    made = world.cluster.objects["Job", "shop", job_name("now-1")]
    assert made["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    assert made["spec"] == template["spec"]
    assert platform["status"]["backup"]["request"] == "now-1"
    del world.cluster.objects["Job", "shop", job_name("now-1")]
    world.settle()
    assert ("Job", "shop", job_name("now-1")) not in world.cluster.objects, "a request is served once"
    platform["metadata"]["annotations"] = {BACKUP_ANNOTATION: "now-2"}
    world.run()
    assert ("Job", "shop", job_name("now-2")) in world.cluster.objects


def test_a_request_without_backups_says_so(tmp_path: Path) -> None:
    world = World.fake(tmp_path)
    platform = world.declare()
    platform["metadata"]["annotations"] = {BACKUP_ANNOTATION: "now-1"}
    world.run()
    assert world.condition("BackupsCurrent") == ("False", "Disabled")


def test_a_jobs_name_follows_its_request() -> None:
    live = applied(CRON_JOB)
    names = {job_now(live, request)["metadata"]["name"] for request in ("now-1", "now-2", "x" * 200)}
    assert len(names) == 3 and all(len(name) < 52 for name in names)


def test_a_claim_is_made_grown_and_kept(tmp_path: Path) -> None:
    world = World.fake(tmp_path)
    usual, claims = world.render, [_claim("1Gi", "Retain")]
    world.render = lambda values: [*usual(values), *claims]
    platform = world.declare()
    world.settle()
    live = world.cluster.objects["PersistentVolumeClaim", "shop", "backup"]
    assert "ownerReferences" not in live["metadata"]
    claims[:] = [_claim("2Gi", "Delete")]
    platform["spec"] = platform["spec"] | {"demo": {"enabled": False}}
    world.settle()
    assert live["spec"]["resources"]["requests"]["storage"] == "2Gi"
    assert live["metadata"]["ownerReferences"][0]["uid"] == "uid-payments"
    claims[:] = []
    platform["spec"] = platform["spec"] | {"demo": {"enabled": True}}
    world.settle()
    assert ("PersistentVolumeClaim", "shop", "backup") in world.cluster.objects


def _claim(size: str, on_delete: str) -> Object:
    claim = document("PersistentVolumeClaim", "backup", 1, labels=PLATFORM_LABELS)
    claim["metadata"]["annotations"]["paymentplatform.dev/on-delete"] = on_delete
    return claim | {"spec": {"resources": {"requests": {"storage": size}}}}


RESTORE = {"restoreFrom": {"name": "b1"}}


def test_a_platform_is_closed_until_its_books_are_proven() -> None:
    asked = parse({"profile": "dev"} | RESTORE)
    jobs = [job("restore-1", "restore"), job("restore-check-1", "restore-check", state="Running")]
    view = look([*pairs(), *jobs], spec=asked)
    assert found(view)["Restored"][:2] == ("False", "Running")
    assert "restore" not in status_of(view)
    closed = look([*pairs(gateway=0), *jobs], spec=asked)
    assert found(closed)["Ready"][:2] == ("False", "NotRestored")
    proven = look([*pairs(), jobs[0], job("restore-check-1", "restore-check")], spec=asked)
    assert status_of(proven)["restore"]["name"] == "b1"
    assert found(proven)["Restored"][:2] == ("True", "Restored")
    # The Jobs are gone then, and the next version does not restore again.
    after = look(pairs(), spec=asked, previous={**proven.previous, "restore": status_of(proven)["restore"]})
    assert found(after)["Restored"][0] == "True"
    assert found(look(pairs()))["Restored"][:2] == ("Unknown", "NotRequested")


def test_a_platform_of_a_moment_is_closed_until_then_too() -> None:
    asked = parse({"profile": "dev", "restoreFrom": {"targetTime": "2026-01-01T00:00:00Z"}})
    proven = look(
        [*pairs(), job("restore-1", "restore"), job("restore-check-1", "restore-check")], spec=asked
    )
    assert status_of(proven)["restore"]["name"] == "2026-01-01T00:00:00Z", "its pod is not there to tell"
    closed = look([*pairs(), job("restore-1", "restore", state="Running")], spec=asked)
    assert found(closed)["Restored"][:2] == ("False", "Running")


def test_a_restore_that_was_refused_names_the_cause() -> None:
    name = Ref("Job", "restore-1").name
    _, pod = ended(name, at(-1), failed="x", said={"error": "the database is not empty (schema kyc)"})
    view = look([*pairs(), job(name, "restore", state="Failed")], spec=parse({"profile": "dev"} | RESTORE))
    view = replace(view, observed=replace(view.observed, pods=[pod]))
    status, reason, message = found(view)["Degraded"]
    assert (status, reason) == ("True", "RestoreFailed")
    assert message.startswith("payments stay closed: the database is not empty (schema kyc): ")
