"""Backups, the archive of the log and restores to a moment: their jobs, and who mounts the store."""

from typing import Any

from tests.contract.chart.helm import MANAGED, environment, named, pods, render
from tests.contract.chart.samples import PROFILES

DEV = PROFILES["dev"]
BUCKET = {"bucket": "backups", "credentialsSecretRef": {"name": "keys"}}
ARCHIVED: dict[str, Any] = {"enabled": True, "pointInTime": {"enabled": True, "interval": "2m"}}


def test_the_log_is_fetched_by_a_job_and_the_server_mounts_no_store() -> None:
    for storage, mounted in (({}, True), ({"s3": BUCKET}, False)):
        objects = render(DEV | {"backup": ARCHIVED | {"storage": storage}})
        jobs = named(objects, "CronJob")
        assert jobs["wal-archive"]["spec"]["schedule"] == "*/2 * * * *"
        found = dict(pods(objects))
        assert environment(found["postgres"])["ARCHIVE"] == "true"
        assert environment(found["backup"])["BACKUP_POINT_IN_TIME"] == "true"
        volumes = {name: {item["name"] for item in pod["spec"]["volumes"]} for name, pod in found.items()}
        assert not volumes["postgres"] & {"backups", "bucket"}, "no store keeps the server from running"
        for name in ("backup", "wal-archive"):
            assert ("backups" in volumes[name], "bucket" in volumes[name]) == (mounted, not mounted)
            # One node has the volume at a time.
            assert ("affinity" in found[name]["spec"]) == mounted
    off = render(DEV | {"backup": {"enabled": True}})
    assert "wal-archive" not in named(off, "CronJob")
    assert environment(dict(pods(off))["postgres"])["ARCHIVE"] == "false"
    assert "affinity" not in dict(pods(off))["backup"]["spec"]


def test_a_moment_is_restored_by_the_same_jobs() -> None:
    moment = {"restoreFrom": {"targetTime": "2026-11-23T14:05:00+01:00"}}
    objects = render(MANAGED | DEV | moment)
    pod = dict(pods(objects))["restore"]
    assert environment(pod)["BACKUP_TARGET_TIME"] == "2026-11-23T14:05:00+01:00"
    assert environment(pod)["BACKUP_NAME"] == ""
    waves = {
        item["metadata"]["labels"]["app.kubernetes.io/name"]: item["metadata"]["annotations"][
            "paymentplatform.dev/wave"
        ]
        for item in objects
        if item["kind"] in ("Job", "Deployment")
    }
    assert waves["restore"] < waves["migrate"] < waves["restore-check"] < waves["confirm-service"]
