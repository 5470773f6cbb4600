"""A rotation of the signing keys of a running platform, under load. Some six minutes: `make e2e-slow`.

The kubelets bring changed Secrets about a minute late, which is why the overlap cannot be much shorter.
"""

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from hack.client import Client
from hack.kubectl import Cluster, condition
from hack.up import NAME, NAMESPACE

SECRET, OVERLAP_SECONDS, KEEP_SECONDS, YOUNG_SECONDS = "gateway-signing-keys", 150, 180, 60


@pytest.fixture
def short_waits(cluster: Cluster) -> Iterator[None]:
    """The platform with shorter waits, and as it was afterwards."""
    waits = {"overlap": f"{OVERLAP_SECONDS}s", "keep": f"{KEEP_SECONDS}s"}
    _patch(cluster, {"spec": {"security": {"keyRotation": waits}}})
    yield
    _patch(cluster, {"spec": {"security": {"keyRotation": None}}})


def _patch(cluster: Cluster, change: object) -> None:
    arguments = ("patch", "paymentplatform", NAME, "--type=merge", "-p", json.dumps(change))
    cluster.kubectl("-n", NAMESPACE, *arguments)


def _kids(cluster: Cluster) -> list[str]:
    data = cluster.get("-n", NAMESPACE, "secret", SECRET)["data"]["private.jwks.json"]
    return [key["kid"] for key in json.loads(base64.b64decode(data))["keys"]]


def _pods(cluster: Cluster) -> set[str]:
    listed = cluster.get("-n", NAMESPACE, "pods", "-l", "app.kubernetes.io/part-of=payment-platform")
    return {
        item["metadata"]["uid"]
        for item in listed["items"]
        if item["metadata"]["ownerReferences"][0]["kind"] != "Job"
    }


class _Load(threading.Thread):
    """Somebody who logs in once a minute and reads accounts all the time."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.ended = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.first = ""

    def run(self) -> None:
        """Until it is ended."""
        while not self.ended.is_set():
            client = Client(self.url)
            client.login("demo", "password123")
            self.first = self.first or client.token
            end = time.monotonic() + YOUNG_SECONDS
            while time.monotonic() < end and not self.ended.wait(0.2):
                self.statuses[client.get("/v1/accounts").status] += 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_keys_rotate_under_load(cluster: Cluster, url: str, short_waits: None) -> None:  # noqa: ARG001
    (old,), pods = _kids(cluster), _pods(cluster)
    load = _Load(url)
    load.start()
    request = {"paymentplatform.dev/rotate": f"signing-keys@{int(time.time())}"}
    _patch(cluster, {"metadata": {"annotations": request}})
    seen: list[str] = []
    end = time.monotonic() + OVERLAP_SECONDS + KEEP_SECONDS + 200
    while not seen or seen[-1] != "Current" or len(seen) < 2:
        assert time.monotonic() < end, seen
        found = condition(cluster.get("-n", NAMESPACE, "paymentplatform", NAME), "KeysRotated")
        if not seen or seen[-1] != found["reason"]:
            seen.append(found["reason"])
        time.sleep(2)
    time.sleep(100)  # until the last kubelet has brought the last step
    load.ended.set()
    load.join(60)
    print(f"{dict(load.statuses)}, steps {seen}")  # noqa: T201
    assert set(load.statuses) == {200}
    assert len(_kids(cluster)) == 1 and _kids(cluster) != [old]
    assert _pods(cluster) == pods, "a pod was replaced"
    assert Client(url, token=load.first).get("/v1/accounts").status == 401
