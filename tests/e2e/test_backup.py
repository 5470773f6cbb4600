"""Backups of the sample: on request to a volume, and in a bucket, from which a new platform starts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from hack.client import Client, pay
from hack.kubectl import Cluster, condition
from hack.progress import say
from hack.up import NAMESPACE
from kubectl_pp import backups
from kubectl_pp.kube import Kube
from tests.e2e.conftest import Note
from tests.e2e.test_more_platforms import forwarded, image_tag, namespace
from tests.support import s3
from tests.support.upgrades import patch, platform, wait

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


@pytest.fixture
def kube(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Kube:
    """The sample's namespace, as the plugin of kubectl sees it."""
    monkeypatch.setenv("PATH", cluster.environment()["PATH"])
    return Kube(cluster.settings.context, NAMESPACE)


@contextmanager
def backed_up(cluster: Cluster, kube: Kube, storage: dict[str, Any]) -> Iterator[str]:
    """The name of a backup of the sample, made on request; afterwards the sample makes none any more."""
    began, now = time.monotonic(), datetime.now(UTC)
    patch(cluster, {"spec": {"backup": {"enabled": True, "schedule": "", "storage": storage}}})
    try:
        wait(lambda: condition(platform(cluster), "BackupsCurrent")["reason"] != "Disabled", 60, "backups")
        name = backups.back_up(kube, platform(cluster), timeout=120)
        say(f"backup {name} after {time.monotonic() - began:.1f} s")
        assert name >= f"{now:%Y%m%dt%H%M%Sz}"
        yield name
    finally:
        annotations = {backups.BACKUP_ANNOTATION: None}
        patch(cluster, {"spec": {"backup": None}, "metadata": {"annotations": annotations}})
        # A look that began before would make the claim anew.
        wait(lambda: not cluster.exists("-n", NAMESPACE, "cronjob/backup"), 60, "the end of backups")


def test_a_backup_on_request_is_made_and_told(cluster: Cluster, kube: Kube) -> None:
    volume = {"size": "1Gi", "onDelete": "Delete"}
    try:
        with backed_up(cluster, kube, {"volume": volume}) as name:
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
def secret(cluster: Cluster) -> Iterator[None]:
    """The bucket's keys."""
    data = {"access-key-id": s3.KEY_ID, "secret-access-key": s3.KEY}
    metadata = {"namespace": NAMESPACE, "name": SECRET}
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})
    yield
    cluster.kubectl("-n", NAMESPACE, "delete", "secret", SECRET)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # where nobody has built the server of the bucket yet
@pytest.mark.usefixtures("secret")
def test_a_platform_starts_from_a_backup_with_the_same_books(
    cluster: Cluster, url: str, kube: Kube, bucket: dict[str, Any], note: Note
) -> None:
    with namespace(cluster, RESTORED), backed_up(cluster, kube, {"s3": bucket}) as backup:
        manifest = backups.copy_of(platform(cluster), {"name": backup}, RESTORED, "restored", "")
        manifest["spec"].pop("observability", None)
        began = time.monotonic()
        found = backups.restore(kube, manifest, timeout=400, tell=say)
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
        created, completed = found["metadata"]["creationTimestamp"], restored["completedAt"]
        proven = (datetime.fromisoformat(completed) - datetime.fromisoformat(created)).total_seconds()
        note(
            f"{entries} ledger entries and {events} audit events, sums and hashes the same in another"
            f" namespace; proven after {proven:.0f} s, no Deployment before, open after {opened_after:.0f} s"
        )
        original = Client(url)
        original.login("demo", "password123")
        assert original.get(f"/v1/payments/{payment['id']}").status == 404
