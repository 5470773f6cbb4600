"""A backup of the sample in a bucket, and a new platform in another namespace that starts from it."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from hack.client import Client, pay
from hack.kubectl import Cluster, condition, wait_ready
from hack.progress import say
from hack.up import NAME, NAMESPACE
from tests.e2e.test_more_platforms import forwarded, image_tag, namespace
from tests.support import s3

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


@pytest.fixture(scope="module")
def bucket(cluster: Cluster) -> Iterator[dict[str, Any]]:
    """A bucket in a namespace of its own, as backup.storage.s3 has it."""
    with namespace(cluster, BUCKET_NAMESPACE) as name:
        image = f"payment-platform/services:{image_tag(cluster)}"
        wait = "mkdir -p /data/s3/objects/backups /data/s3/metadata;"
        wait += " until test -x /data/versitygw; do sleep 0.2; done"
        run = f"{wait}; exec {' '.join(s3.command('/data/versitygw', f':{PORT}', '/data/s3'))}"
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


def secret(namespace: str) -> dict[str, Any]:
    """The bucket's keys for one namespace."""
    data = {"access-key-id": s3.KEY_ID, "secret-access-key": s3.KEY}
    metadata = {"namespace": namespace, "name": SECRET}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


@pytest.fixture(scope="module")
def backup(cluster: Cluster, bucket: dict[str, Any]) -> Iterator[str]:
    """The name of a backup of the sample, made on request."""
    cluster.apply(secret(NAMESPACE))
    request = f"now-{int(time.time())}"
    settings = {"enabled": True, "schedule": "", "storage": {"s3": bucket}}
    _patch(cluster, {"spec": {"backup": settings}, "metadata": {"annotations": {ANNOTATION: request}}})
    try:
        yield _backed_up(cluster, request)
    finally:
        _patch(cluster, {"spec": {"backup": None}, "metadata": {"annotations": {ANNOTATION: None}}})
        cluster.kubectl("-n", NAMESPACE, "delete", "secret", SECRET)


ANNOTATION = "paymentplatform.dev/backup"


def _patch(cluster: Cluster, change: object) -> None:
    arguments = ("patch", "paymentplatform", NAME, "--type=merge", "-p", json.dumps(change))
    cluster.kubectl("-n", NAMESPACE, *arguments)


def _backed_up(cluster: Cluster, request: str) -> str:
    before = cluster.get("-n", NAMESPACE, "paymentplatform", NAME).get("status", {}).get("backup", {})
    end = time.monotonic() + 120
    while time.monotonic() < end:
        platform = cluster.get("-n", NAMESPACE, "paymentplatform", NAME)
        status = platform.get("status", {}).get("backup", {})
        if status.get("request") == request and status.get("lastName") != before.get("lastName"):
            assert condition(platform, "BackupsCurrent")["status"] == "True"
            return str(status["lastName"])
        time.sleep(1)
    raise AssertionError(f"no backup: {platform.get('status')}")


@pytest.mark.timeout(1200)  # where nobody has built the server of the bucket yet
def test_a_platform_starts_from_a_backup_with_the_same_books(
    cluster: Cluster, url: str, bucket: dict[str, Any], backup: str
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
        while condition(_restored(cluster), "Restored").get("status") != "True":
            assert not cluster.exists("-n", RESTORED, "deployment/api-gateway"), "open before it was proven"
            assert time.monotonic() < began + 240, _restored(cluster).get("status")
            time.sleep(1)
        proven = time.monotonic() - began
        platform = wait_ready(cluster, RESTORED, "restored", 300, say)
        say(f"restored and proven after {proven:.0f} s, open after {time.monotonic() - began:.0f} s")
        assert platform["status"]["restore"]["name"] == backup
        at = platform["status"]["restore"]["takenAt"]
        books = cluster.sql(RESTORED, BOOKS, at=at)
        assert books == cluster.sql(NAMESPACE, BOOKS, at=at)
        assert {row[0] for row in books} == {"entries", "audit"} and books[1][3] == "0"
        with forwarded(cluster, RESTORED) as client:
            client.login("demo", "password123")
            payment = pay(client, amount=500, from_account="ACC001", to_account="ACC002")
        assert payment["status"] == "succeeded"
        original = Client(url)
        original.login("demo", "password123")
        assert original.get(f"/v1/payments/{payment['id']}").status == 404


def _restored(cluster: Cluster) -> dict[str, Any]:
    return cluster.get("-n", RESTORED, "paymentplatform", "restored")
