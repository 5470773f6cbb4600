"""All passwords of the database and of Redis change while customers pay; `make e2e-slow`.

Some six minutes, for the kubelets bring a changed Secret to Redis about a minute late.
"""

import base64
import json
import random
import time
from collections.abc import Iterator

import pytest

from hack.client import Client
from hack.kubectl import Cluster, condition
from hack.progress import say
from hack.up import NAME, NAMESPACE
from tests.e2e.conftest import Note
from tests.support.customers import Load
from tests.support.faults.sizes import seed

#: Requests a second, all of them for payments, which are two each.
RATE, SECONDS = 20, 600
SECRETS = {
    "accounts": "accounts-database",
    "payments": "payments-database",
    "verification": "verification-database",
    "postgres": "postgres-superuser",
    "redis": "redis-credentials",
}
UNTOUCHED = {"postgres", "redis", "kafka", "load-balancer", "risk-service"}


@pytest.fixture
def short_wait(cluster: Cluster) -> Iterator[None]:
    """The sample with a shorter wait, and as it was afterwards."""
    _patch(cluster, {"spec": {"security": {"passwordRotation": {"overlap": "100s"}}}})
    yield
    _patch(cluster, {"spec": {"security": {"passwordRotation": None}}})


def _patch(cluster: Cluster, change: object) -> None:
    arguments = ("patch", "paymentplatform", NAME, "--type=merge", "-p", json.dumps(change))
    cluster.kubectl("-n", NAMESPACE, *arguments)


def _content(cluster: Cluster) -> dict[str, dict[str, str]]:
    found = {}
    for key, name in SECRETS.items():
        data = cluster.get("-n", NAMESPACE, "secret", name)["data"]
        found[key] = {item: base64.b64decode(text).decode() for item, text in data.items()}
    return found


def _pods(cluster: Cluster) -> dict[str, set[str]]:
    """Identities of the pods that serve, by the workload's name."""
    listed = cluster.get("-n", NAMESPACE, "pods", "-l", "app.kubernetes.io/part-of=payment-platform")
    found: dict[str, set[str]] = {}
    for item in listed["items"]:
        metadata = item["metadata"]
        if metadata["ownerReferences"][0]["kind"] != "Job" and not metadata.get("deletionTimestamp"):
            found.setdefault(metadata["labels"]["app.kubernetes.io/name"], set()).add(metadata["uid"])
    return found


def _opens(cluster: Cluster, login: dict[str, str]) -> bool:
    """Whether PostgreSQL lets this login in, over the network as anybody."""
    script = "read -r PGPASSWORD; export PGPASSWORD; "
    script += 'psql -h 127.0.0.1 -U "$0" -d payment_db -Atc "SELECT 1" 2>&1'
    text = cluster.kubectl(
        *("-n", NAMESPACE, "exec", "-i", "postgres-0", "-c", "postgres", "--"),
        *("sh", "-c", f"{script} || true", login["username"]),
        stdin=login["password"] + "\n",
    )
    assert text.strip() == "1" or "authentication failed" in text or "not permitted to log in" in text, text
    return text.strip() == "1"


def _redis_opens(cluster: Cluster, password: str) -> bool:
    """Whether Redis takes this password."""
    script = "read -r REDISCLI_AUTH; export REDISCLI_AUTH; redis-cli -h 127.0.0.1 ping 2>&1; true"
    text = cluster.kubectl(
        *("-n", NAMESPACE, "exec", "-i", "redis-0", "-c", "redis", "--", "sh", "-c", script),
        stdin=password + "\n",
    )
    assert "PONG" in text or "WRONGPASS" in text or "NOAUTH" in text, text
    return "PONG" in text and "WRONGPASS" not in text


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("short_wait")
def test_passwords_change_under_load(cluster: Cluster, url: str, demo: Client, note: Note) -> None:
    before, pods = _content(cluster), _pods(cluster)
    asked = int(time.time())
    items = [f"{name}@{asked}" for name in ("database-passwords", "redis-password", "superuser-password")]
    with Load(url, demo.token, random.Random(seed()), rate=RATE, payments=1.0) as load:
        time.sleep(10)
        assert load.repeated == [], "the machine carries this load"
        _patch(cluster, {"metadata": {"annotations": {"paymentplatform.dev/rotate": ",".join(items)}}})
        began, told = time.monotonic(), ""
        while True:
            now = _content(cluster)
            found = condition(cluster.get("-n", NAMESPACE, "paymentplatform", NAME), "KeysRotated")
            if found["reason"] != told:
                told = found["reason"]
                say(f"{told}: {found['message']}")
            changed = all(now[key]["password"] != before[key]["password"] for key in SECRETS)
            if (
                changed
                and told == "Current"
                and all(now[key].keys() == before[key].keys() for key in SECRETS)
            ):
                break
            assert time.monotonic() - began < SECONDS, found
            time.sleep(2)
        took = time.monotonic() - began
        end = time.monotonic() + 180
        # The last step is a Job's, and Redis follows its Secret.
        while _opens(cluster, before["accounts"]) or _redis_opens(cluster, before["redis"]["password"]):
            assert time.monotonic() < end, "an old password is good still"
            time.sleep(2)
    say(f"seed {seed()}: {took:.0f} s; {sum(load.statuses.values())} requests: {dict(load.statuses)}")
    assert load.repeated == []
    for key in ("accounts", "payments", "verification", "postgres"):
        assert not _opens(cluster, before[key]), key
        assert _opens(cluster, now[key]), key
    assert _redis_opens(cluster, now["redis"]["password"])
    after = _pods(cluster)
    assert {name for name in pods if name in UNTOUCHED and pods[name] == after[name]} == UNTOUCHED
    parts = {"otel-collector", "jaeger", "prometheus", "search", "influxdb", "kafka-exporter", "grafana"}
    rolled = {name for name in pods if not pods[name] & after.get(name, set())}
    say(f"{len(rolled)} of {len(pods)} workloads rolled: {', '.join(sorted(rolled))}")
    assert not rolled & (UNTOUCHED | parts)
    services = cluster.get("-n", NAMESPACE, "deployments", "-l", "app.kubernetes.io/part-of=payment-platform")
    names = {item["metadata"]["name"] for item in services["items"]}
    assert rolled == names - UNTOUCHED - parts
    note(
        f"database and Redis under {RATE} requests/s: {sum(load.statuses.values())} requests, 0 failed; "
        f"{len(rolled)} of {len(pods)} workloads rolled; old logins refused after {took:.0f} s"
    )
