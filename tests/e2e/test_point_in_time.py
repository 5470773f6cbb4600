"""A deleted platform comes back in its namespace as it was between two payments, from its archived log."""

import time
from datetime import datetime
from typing import Any

import pytest

from hack.client import pay
from hack.kubectl import Cluster, condition, wait_ready
from hack.progress import say
from kubectl_pp import backups
from kubectl_pp.kube import Kube
from tests.e2e.conftest import Note
from tests.e2e.test_backup import BOOKS
from tests.e2e.test_more_platforms import forwarded, image_tag, leftovers, namespace
from tests.support.upgrades import wait

PLACE, NAME = "e2e-moment", "moment"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_platform_comes_back_as_it_was_between_two_payments(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, note: Note
) -> None:
    monkeypatch.setenv("PATH", cluster.environment()["PATH"])
    kube = Kube(cluster.settings.context, PLACE)
    with namespace(cluster, PLACE):
        spec: dict[str, Any] = {
            "profile": "dev",
            "image": {"tag": image_tag(cluster)},
            "backup": {
                "enabled": True,
                "schedule": "",
                "storage": {"volume": {"size": "1Gi"}},
                "pointInTime": {"enabled": True},
            },
        }
        platform = {
            "apiVersion": "paymentplatform.dev/v1alpha1",
            "kind": "PaymentPlatform",
            "metadata": {"name": NAME, "namespace": PLACE},
            "spec": spec,
        }
        cluster.apply(platform)
        live = wait_ready(cluster, PLACE, NAME, 420, say)
        name = backups.back_up(kube, live, timeout=120)
        with forwarded(cluster, PLACE) as client:
            client.login("demo", "password123")
            first = pay(client, amount=700, from_account="ACC001", to_account="ACC002")
            time.sleep(1)  # what the first payment does in the background is before the moment, too
            ((moment,),) = cluster.sql(PLACE, 'SELECT to_char(now(), \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')')
            time.sleep(1)  # and nothing of the second one
            second = pay(client, amount=900, from_account="ACC001", to_account="ACC002")
        before = cluster.sql(PLACE, BOOKS, at=moment)

        def archived() -> bool:
            told = kube.platform(NAME).get("status", {}).get("backup", {}).get("lastArchivedTime")
            return told is not None and datetime.fromisoformat(told) > datetime.fromisoformat(moment)

        began = time.monotonic()
        wait(archived, 180, "the log of the moment in the store")
        say(f"the log is archived {time.monotonic() - began:.0f} s after the second payment")
        told = kube.platform(NAME)
        assert condition(told, "BackupsCurrent")["status"] == "True", told["status"]["conditions"]
        assert told["status"]["backup"]["restorableFrom"] < moment
        cluster.kubectl("-n", PLACE, "delete", "paymentplatform", NAME, "--wait=true", timeout=60)

        def gone() -> bool:
            found = leftovers(cluster, PLACE)
            return not any(item.startswith(("pod/", "persistentvolumeclaim/data-")) for item in found)

        wait(gone, 120, "the end of the pods and of the database's volume")
        restore = {"targetTime": moment, "volume": {"claimName": "backup"}}
        began = time.monotonic()
        cluster.apply(platform | {"spec": spec | {"restoreFrom": restore}})
        found = wait_ready(cluster, PLACE, NAME, 420, say)
        restored = found["status"]["restore"]
        assert restored["name"].startswith(f"{name}-to-")
        assert datetime.fromisoformat(restored["takenAt"]) == datetime.fromisoformat(moment)
        opened = [item["metadata"]["creationTimestamp"] for item in _deployments(cluster)]
        assert len(opened) == 11 and min(opened) >= restored["completedAt"], "open before it was proven"
        assert cluster.sql(PLACE, BOOKS, at=moment) == before and before
        with forwarded(cluster, PLACE) as client:
            client.login("demo", "password123")
            assert client.get(f"/v1/payments/{first['id']}").body["status"] == "succeeded"
            assert client.get(f"/v1/payments/{second['id']}").status == 404
        entries = sum(int(row[2]) for row in before if row[0] == "entries")
        note(
            f"{entries} ledger entries as they were between two payments; the platform was back after"
            f" {time.monotonic() - began:.0f} s"
        )


def _deployments(cluster: Cluster) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = cluster.get("-n", PLACE, "deployments")["items"]
    return items
