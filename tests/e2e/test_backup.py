"""Backups of the sample: on request to a volume, and in a bucket, from which a new platform starts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from hack.client import Client, pay
from hack.kubectl import Cluster, condition, wait_ready
from hack.progress import say
from hack.up import NAMESPACE
from tests.e2e.conftest import Note
from tests.e2e.test_more_platforms import forwarded, image_tag, namespace
from tests.support import s3
from tests.support.upgrades import patch, platform, wait

ANNOTATION = "paymentplatform.dev/backup"
BUCKET_NAMESPACE, RESTORED = "e2e-bucket", "e2e-restored"
SECRET, PORT = "backup-bucket", 7070
# The oracle: sums and hashes of the books as they were at a moment.
BOOKS = """
SELECT 'entries', currency, count(*), sum(amount_minor), sum(abs(amount_minor)),
       md5(string_agg(account_number || ' ' || amount_minor || ' ' || transfer_id, ','
                      ORDER BY transfer_id, account_number, amount_minor))
FROM accounts.entries WHERE created_at <= :'at'::timestamptz GROUP BY currency
UNION ALL
SELECT 'audit', '', count(*), max(seq), 0, md5(string_agg(hash, ',' ORDER BY seq))
FROM audit.events WHERE recorded_at <= :'at'::timestamptz
ORDER BY 1, 2"""


@contextmanager
def backed_up(cluster: Cluster, storage: dict[str, Any]) -> Iterator[str]:
    """The name of a backup of the sample, made on request; afterwards the sample makes none any more."""
    began, now = time.monotonic(), datetime.now(UTC)
    request = f"now-{now.timestamp():.0f}"

    def served() -> str:
        status = platform(cluster)["status"].get("backup", {})
        assert status.get("lastFailure", {}).get("time", "") < f"{now:%Y-%m-%dT%H:%M:%SZ}", status
        name = str(status.get("lastName", ""))
        return name if status.get("request") == request and name >= f"{now:%Y%m%dt%H%M%Sz}" else ""

    backup = {"enabled": True, "schedule": "", "storage": storage}
    patch(cluster, {"spec": {"backup": backup}, "metadata": {"annotations": {ANNOTATION: request}}})
    try:
        name: str = wait(served, 120, "the backup")
        say(f"backup {name} after {time.monotonic() - began:.1f} s")
        yield name
    finally:
        patch(cluster, {"spec": {"backup": None}, "metadata": {"annotations": {ANNOTATION: None}}})


def test_a_backup_on_request_is_made_and_told(cluster: Cluster) -> None:
    volume = {"size": "1Gi", "onDelete": "Delete"}
    try:
        with backed_up(cluster, {"volume": volume}) as name:
            current = condition(platform(cluster), "BackupsCurrent")
            assert (current["status"], current["reason"]) == ("True", "Current"), current
            jobs = cluster.get("-n", NAMESPACE, "jobs", "-l", "app.kubernetes.io/component=backup")["items"]
            newest = max(jobs, key=lambda job: str(job["status"].get("completionTime", "")))
            told = cluster.kubectl("-n", NAMESPACE, "logs", f"job/{newest['metadata']['name']}")
            assert f"backup {name}: " in told and "SHA-256" in told, told
    finally:
        claim = ("-n", NAMESPACE, "delete", "pvc", "backup", "--ignore-not-found", "--wait=false")
        cluster.kubectl(*claim)


@pytest.fixture
def bucket(cluster: Cluster) -> Iterator[dict[str, Any]]:
    """A bucket in a namespace of its own, as backup.storage.s3 has it."""
    with namespace(cluster, BUCKET_NAMESPACE) as name:
        image = f"payment-platform/services:{image_tag(cluster)}"
        ready = "mkdir -p /data/s3/objects/backups /data/s3/metadata;"
        ready += " until test -x /data/versitygw; do sleep 0.2; done"
        run = f"{ready}; exec {' '.join(s3.command('/data/versitygw', f':{PORT}', '/data/s3'))}"
        restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        pod = {
            "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "fsGroup": 10001}
            | {"seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "s3",
                    "image": image,
                    "command": ["sh", "-c", run],
                    "securityContext": restricted,
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                }
            ],
            "volumes": [{"name": "data", "emptyDir": {}}],
        }
        labels = {"app": "s3"}
        place = {"namespace": name, "name": "s3"}
        cluster.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": place | {"labels": labels}, "spec": pod},
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": place,
                "spec": {"selector": labels, "ports": [{"port": PORT}]},
            },
        )
        cluster.kubectl("-n", name, "wait", "pod/s3", "--for=condition=Ready", "--timeout=60s")
        cluster.kubectl("-n", name, "cp", str(s3.program()), "s3:/data/part")
        cluster.kubectl("-n", name, "exec", "s3", "--", "mv", "/data/part", "/data/versitygw")
        yield {
            "endpoint": f"http://s3.{name}.svc.cluster.local:{PORT}",
            "bucket": s3.BUCKET,
            "prefix": "e2e",
            "credentialsSecretRef": {"name": SECRET},
        }


@pytest.fixture
def backup(cluster: Cluster, bucket: dict[str, Any]) -> Iterator[str]:
    """The name of a backup of the sample in the bucket."""
    cluster.apply(secret(NAMESPACE))
    try:
        with backed_up(cluster, {"s3": bucket}) as name:
            yield name
    finally:
        cluster.kubectl("-n", NAMESPACE, "delete", "secret", SECRET)


def secret(namespace: str) -> dict[str, Any]:
    """The bucket's keys for one namespace."""
    data = {"access-key-id": s3.KEY_ID, "secret-access-key": s3.KEY}
    metadata = {"namespace": namespace, "name": SECRET}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


@pytest.mark.slow
@pytest.mark.timeout(1200)  # where nobody has built the server of the bucket yet
def test_a_platform_starts_from_a_backup_with_the_same_books(
    cluster: Cluster, url: str, bucket: dict[str, Any], backup: str, note: Note
) -> None:
    with namespace(cluster, RESTORED):
        cluster.apply(
            secret(RESTORED),
            {
                "apiVersion": "paymentplatform.dev/v1alpha1",
                "kind": "PaymentPlatform",
                "metadata": {"name": "restored", "namespace": RESTORED},
                "spec": {
                    "profile": "dev",
                    "image": {"tag": image_tag(cluster)},
                    "restoreFrom": {"name": backup, "s3": bucket},
                },
            },
        )
        began = time.monotonic()
        wait(lambda: condition(_restored(cluster), "Restored").get("status") == "True", 240, "the restore")
        proven = time.monotonic() - began
        found = wait_ready(cluster, RESTORED, "restored", 300, say)
        opened_after = time.monotonic() - began
        restored = found["status"]["restore"]
        assert restored["name"] == backup
        services = cluster.get("-n", RESTORED, "deployments")["items"]
        opened = [item["metadata"]["creationTimestamp"] for item in services]
        assert len(opened) == 11 and min(opened) >= restored["completedAt"], "open before it was proven"
        at = restored["takenAt"]
        books = cluster.sql(RESTORED, BOOKS, at=at)
        assert books == cluster.sql(NAMESPACE, BOOKS, at=at)
        assert {row[0] for row in books} == {"entries", "audit"}
        assert all(row[3] == "0" for row in books if row[0] == "entries"), books
        with forwarded(cluster, RESTORED) as client:
            client.login("demo", "password123")
            payment = pay(client, amount=500, from_account="ACC001", to_account="ACC002")
        assert payment["status"] == "succeeded"
        entries = sum(int(row[2]) for row in books if row[0] == "entries")
        events = sum(int(row[2]) for row in books if row[0] == "audit")
        note(
            f"{entries} ledger entries and {events} audit events, sums and hashes the same in another"
            f" namespace; proven after {proven:.0f} s, no Deployment before, open after {opened_after:.0f} s"
        )
        original = Client(url)
        original.login("demo", "password123")
        assert original.get(f"/v1/payments/{payment['id']}").status == 404


def _restored(cluster: Cluster) -> dict[str, Any]:
    return cluster.get("-n", RESTORED, "paymentplatform", "restored")
