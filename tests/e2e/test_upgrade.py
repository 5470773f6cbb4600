"""Upgrades of the running sample while customers use it; `make e2e-slow` does more of them.

Every request counts. Beside bad versions a client is allowed what the API allows it, to repeat what was not
done; in the test at full load, which should have the machine to itself, a single 5xx, or connection without
an answer, of 50 requests a second is a failure.
"""

import random
import re
import time
import uuid
from collections.abc import Iterator

import pytest

from hack.client import Client
from hack.kubectl import Cluster, condition, wait_ready
from hack.progress import say
from hack.up import NAME, NAMESPACE
from tests.e2e.conftest import Note
from tests.support.customers import Load, share
from tests.support.faults.sizes import seed
from tests.support.upgrades import (
    GOOD,
    NO_IMAGE,
    NO_MIGRATION,
    NO_START,
    Version,
    carried,
    ended,
    patch,
    platform,
    wait,
)

#: Requests a second; of ten, eight read and two make a payment.
RATE = 10
#: With nothing repeated, of the greatest share of payments that the machine carries at rest.
STRICT_RATE = 50


@pytest.fixture
def load(demo: Client, url: str) -> Iterator[Load]:
    """Customers from before the upgrade until after it."""
    say(f"seed {seed()}")
    with Load(url, demo.token, random.Random(seed()), rate=RATE) as running:
        yield running


def images(cluster: Cluster) -> set[str]:
    """Tags of what the services' Deployments run."""
    found = set()
    for item in cluster.get("-n", NAMESPACE, "deployments")["items"]:
        image = item["spec"]["template"]["spec"]["containers"][0]["image"]
        if "payment-platform/services" in image:
            found.add(image.rpartition(":")[2])
    return found


def old_pods(cluster: Cluster) -> dict[str, str]:
    """Pods of the services that serve now, by name with their identity."""
    parts = "app.kubernetes.io/part-of=payment-platform,app.kubernetes.io/component notin (traces,metrics)"
    pods = cluster.get("-n", NAMESPACE, "pods", "-l", parts)["items"]
    return {
        pod["metadata"]["name"]: pod["metadata"]["uid"]
        for pod in pods
        if pod["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"
        and not pod["metadata"].get("deletionTimestamp")
    }


def upgrade(cluster: Cluster, version: Version, seconds: float) -> dict[str, object]:
    """Name the version in the sample's spec; how that ended."""
    began = time.monotonic()
    patch(cluster, {"spec": {"version": version.number, "image": {"tag": None}}})
    found = ended(cluster, version, seconds)
    say(f"{version.number}: {found['phase']} after {time.monotonic() - began:.0f} s; {found['reason']}")
    return found


def rolled_back(cluster: Cluster, version: Version, phase: str, words: str) -> float:
    """Try a version that is no good: the services are as before, and the status says why; after how long."""
    before, running = platform(cluster)["status"], images(cluster)
    began = time.monotonic()
    found = upgrade(cluster, version, 240)
    assert found["phase"] == "RolledBack"
    reason = str(found["reason"])
    assert reason.startswith(f"{phase}: ") and words in reason, reason
    status = platform(cluster)
    took = time.monotonic() - began
    degraded = condition(status, "Degraded")
    assert (degraded["status"], degraded["reason"]) == ("True", "UpgradeFailed")
    assert condition(status, "Ready")["status"] == "True"
    assert [status["status"][key] for key in ("version", "release", "lastGood")] == [
        before[key] for key in ("version", "release", "lastGood")
    ]
    assert images(cluster) == running
    events = cluster.get("-n", NAMESPACE, "events", "--field-selector=reason=UpgradeFailed")["items"]
    assert any(words in event["message"] for event in events)
    return took


def nobody_noticed(load: Load) -> int:
    """Every request was answered well; how many there were."""
    total = sum(load.statuses.values())
    say(f"{total} requests: {dict(load.statuses)}, slowest {load.slowest:.2f} s")
    assert load.failed == []
    assert total > 10 * RATE
    return total


def test_a_synthetic_payment_goes_through_and_its_money_stays(cluster: Cluster) -> None:
    name = f"payment-path-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("-n", NAMESPACE, "create", "job", name, "--from=cronjob/payment-path")
    try:
        wait(lambda: cluster.get("-n", NAMESPACE, "job", name)["status"].get("succeeded"), 60, "the payment")
        wait(
            lambda: condition(platform(cluster), "PaymentPathReady")["status"] == "True",
            60,
            "PaymentPathReady",
        )
        assert "took" in condition(platform(cluster), "PaymentPathReady")["message"]
    finally:
        cluster.kubectl("-n", NAMESPACE, "delete", "job", name)
    rows = cluster.sql(
        NAMESPACE,
        """SELECT bool_or(status = 'succeeded' AND created_at > now() - interval '2 minutes'),
                  bool_and(metadata->>'synthetic' = 'true')
           FROM payments.payments WHERE customer_id = 'cust_synthetic'""",
    )
    assert rows == [["t", "t"]]
    rows = cluster.sql(
        NAMESPACE,
        """SELECT sum(e.amount_minor) FROM accounts.entries e JOIN accounts.accounts a USING (account_number)
           WHERE a.customer_id = 'cust_synthetic'""",
    )
    assert rows == [["2000"]]


#: Versions that are no good: where that shows, and by which words.
BAD = {
    NO_IMAGE: ("Preflight", "Pull"),
    NO_MIGRATION: ("Migrations", "this migration always fails"),
    NO_START: ("Services", "CrashLoopBackOff"),
}
LATE = (NO_MIGRATION, NO_START)


@pytest.fixture
def backups(cluster: Cluster) -> Iterator[None]:
    """Backups of the sample are on, on demand only."""
    volume = {"size": "1Gi", "onDelete": "Delete"}
    backup = {"enabled": True, "schedule": "", "storage": {"volume": volume}}
    patch(cluster, {"spec": {"backup": backup}})
    try:
        # What an upgrade starts from is what ran completely last.
        wait(lambda: platform(cluster)["status"]["lastGood"]["spec"].get("backup"), 60, "backups")
        yield
    finally:
        patch(cluster, {"spec": {"backup": None}})
        wait(lambda: not cluster.exists("-n", NAMESPACE, "cronjob/backup"), 60, "the end of backups")
        cluster.kubectl("-n", NAMESPACE, "delete", "pvc", "backup", "--ignore-not-found", "--wait=false")


@pytest.mark.usefixtures("backups")
def test_upgrades_fail_no_request_and_bad_ones_are_rolled_back(
    cluster: Cluster, load: Load, note: Note
) -> None:
    before = old_pods(cluster)
    with carried(cluster, GOOD, NO_IMAGE):
        took = rolled_back(cluster, NO_IMAGE, *BAD[NO_IMAGE])
        assert before.items() <= old_pods(cluster).items(), "the pods from before served all along"
        found = upgrade(cluster, GOOD, 400)
        assert found["phase"] == "Done", found
        status = platform(cluster)["status"]
        assert (status["version"], status["release"]) == (GOOD.number, GOOD.number)
        checks = {item["name"]: item["ok"] for item in status["upgrade"]["preflight"]}
        wanted = ("images", "postgres", "schema", "redis", "kafka", "topics")
        assert checks == dict.fromkeys(wanted, True), status["upgrade"]
        assert images(cluster) == {GOOD.tag}
        assert status["upgrade"]["snapshot"] == status["backup"]["lastName"], "taken before it"
        started = re.sub("[-:]", "", status["upgrade"]["startedAt"]).lower()
        assert status["upgrade"]["snapshot"] >= started
        assert not before.items() & old_pods(cluster).items(), "every pod was replaced"
    wait_ready(cluster, NAMESPACE, NAME, 240, say)
    total = nobody_noticed(load)
    note(
        f"an image that nobody has: Degraded after {took:.0f} s, the pods from before serve on; "
        f"then a good one; {total} requests, none failed"
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_versions_that_fail_later_are_rolled_back(cluster: Cluster, load: Load) -> None:
    before = old_pods(cluster)
    with carried(cluster, *LATE):
        for version in LATE:
            rolled_back(cluster, version, *BAD[version])
            assert before.items() <= old_pods(cluster).items(), "the pods from before served all along"
    nobody_noticed(load)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_05_an_upgrade_under_fifty_requests_a_second_fails_none(
    cluster: Cluster, demo: Client, url: str, note: Note
) -> None:
    dice = random.Random(seed())
    before = old_pods(cluster)
    with carried(cluster, GOOD):
        payments, told = share(url, demo.token, dice, STRICT_RATE)
        say(f"seed {seed()}; at rest: {'; '.join(told)}")
        with Load(url, demo.token, dice, rate=STRICT_RATE, payments=payments) as load:
            time.sleep(5)
            began = time.monotonic()
            found = upgrade(cluster, GOOD, 500)
            took = time.monotonic() - began
            time.sleep(15)
        total = sum(load.statuses.values())
        say(f"{payments:.0%} payments, {total} requests, {len(load.repeated)} failed, {took:.0f} s")
        say(f"{dict(load.statuses)}, slowest {load.slowest:.2f} s")
        assert found["phase"] == "Done", found
        assert not before.items() & old_pods(cluster).items(), "every pod was replaced"
    wait_ready(cluster, NAMESPACE, NAME, 240, say)
    assert load.repeated == []
    assert total > 0.9 * STRICT_RATE * took
    note(
        f"{STRICT_RATE} requests/s, {payments:.0%} of them for payments: {total} requests, 0 failed, "
        f"slowest {load.slowest:.1f} s, Done after {took:.0f} s"
    )
