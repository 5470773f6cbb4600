"""A platform that was deleted comes back in its namespace, from the volume of backups that it left."""

from typing import Any

import pytest

from hack.client import pay
from hack.kubectl import Cluster, wait_ready
from hack.progress import say
from kubectl_pp import backups
from kubectl_pp.kube import Kube
from tests.e2e.test_backup import BOOKS
from tests.e2e.test_more_platforms import forwarded, image_tag, leftovers, namespace
from tests.support.upgrades import wait

LEFT = "e2e-left"
CLAIM = "persistentvolumeclaim/backup"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_deleted_platform_comes_back_from_its_volume(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", cluster.environment()["PATH"])
    kube = Kube(cluster.settings.context, LEFT)
    with namespace(cluster, LEFT):
        spec: dict[str, Any] = {
            "profile": "dev",
            "image": {"tag": image_tag(cluster)},
            "backup": {"enabled": True, "schedule": "", "storage": {"volume": {"size": "1Gi"}}},
        }
        platform = {
            "apiVersion": "paymentplatform.dev/v1alpha1",
            "kind": "PaymentPlatform",
            "metadata": {"name": "left", "namespace": LEFT},
            "spec": spec,
        }
        cluster.apply(platform)
        live = wait_ready(cluster, LEFT, "left", 420, say)
        with forwarded(cluster, LEFT) as client:
            client.login("demo", "password123")
            payment = pay(client, amount=700, from_account="ACC001", to_account="ACC002")
        name = backups.back_up(kube, live, timeout=120)
        before = cluster.sql(LEFT, BOOKS, at=_taken(name))
        cluster.kubectl("-n", LEFT, "delete", "paymentplatform", "left", "--wait=true", timeout=60)

        def gone() -> bool:
            found = leftovers(cluster, LEFT)
            assert CLAIM in found, "the backups are kept"
            return not any(item.startswith(("pod/", "persistentvolumeclaim/data-")) for item in found)

        wait(gone, 120, "the end of the pods and of the database's volume")
        restore = {"name": "latest", "volume": {"claimName": "backup"}}
        cluster.apply(platform | {"spec": spec | {"restoreFrom": restore}})
        found = wait_ready(cluster, LEFT, "left", 420, say)
        assert found["status"]["restore"]["name"] == name
        assert cluster.sql(LEFT, BOOKS, at=_taken(name)) == before and before
        with forwarded(cluster, LEFT) as client:
            client.login("demo", "password123")
            assert client.get(f"/v1/payments/{payment['id']}").body["status"] == "succeeded"


def _taken(name: str) -> str:
    """The second that a backup is named by, for PostgreSQL."""
    return f"{name[:4]}-{name[4:6]}-{name[6:8]} {name[9:11]}:{name[11:13]}:{name[13:15]}+00"
