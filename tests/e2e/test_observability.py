"""What watches the sample platform: all of it runs, sees everything, and nothing depends on it."""

import json
import time
import urllib.request
from collections import Counter
from typing import Any

import pytest

from hack.client import Client, pay
from hack.kubectl import Cluster, condition
from hack.up import NAME, NAMESPACE
from tests.e2e.test_reconcile import wait
from tests.support.observed.jaeger import Jaeger
from tests.support.observed.prometheus import Prometheus

PART = "paymentplatform.dev/part"
JOBS = {
    "payment-services",
    "infrastructure",
    "observability",
    "otel-collector",
    "prometheus",
    "payment-operator",
}

#: Who takes part in every payment, also of somebody who was screened a moment ago.
SEEN_BY = {
    *("api-gateway", "confirm-service", "risk-service", "account-service"),
    *("audit-service", "notification-service"),
}


def ask(cluster: Cluster, port: int, path: str) -> Any:
    """The JSON that an access point answers."""
    url = f"http://localhost:{port + (cluster.settings.port_offset or 0)}{path}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def state(cluster: Cluster) -> dict[str, dict[str, str]]:
    """Conditions of the sample by type."""
    platform = cluster.get("-n", NAMESPACE, "paymentplatform", NAME)
    return {kind: condition(platform, kind) for kind in ("Ready", "ObservabilityReady", "Degraded")}


@pytest.fixture(scope="module", autouse=True)
def watched(cluster: Cluster) -> None:
    """Every part of the sample's stack is ready; they come after the payments."""
    wait(lambda: state(cluster)["ObservabilityReady"]["status"] == "True", 180, "ObservabilityReady")


def test_every_part_of_the_sample_runs(cluster: Cluster) -> None:
    spec = cluster.get("-n", NAMESPACE, "paymentplatform", NAME)["spec"]["observability"]
    enabled = {part for part, settings in spec.items() if settings.get("enabled")}
    assert enabled == {"collector", "jaeger", "prometheus", "search", "influxdb"}
    items = cluster.get("-n", NAMESPACE, "deployments,statefulsets", "-l", PART)["items"]
    assert {item["metadata"]["labels"][PART] for item in items} == enabled
    for item in items:
        assert item["status"].get("readyReplicas") == item["spec"]["replicas"], item["metadata"]["name"]
    assert state(cluster)["Ready"]["status"] == "True"


def test_every_target_is_up(cluster: Cluster) -> None:
    def targets() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask(cluster, 9090, "/api/v1/targets")["data"]["activeTargets"]
        return found

    # A pod that ended is scraped until its name is gone, at most two rounds later.
    wait(lambda: all(item["health"] == "up" for item in targets()), 50, "every target up")
    found = targets()
    assert {item["labels"]["job"] for item in found} == JOBS
    replicas = {
        item["metadata"]["name"]: item["spec"]["replicas"]
        for item in cluster.get("-n", NAMESPACE, "deployments")["items"]
        if PART not in item["metadata"]["labels"]
    }
    scraped = Counter(
        item["labels"]["service"]
        for item in found
        if item["labels"]["job"] == "payment-services" or item["labels"]["service"] == "load-balancer"
    )
    assert scraped == replicas
    assert {item["labels"].get("namespace") for item in found} == {NAMESPACE, None}
    rules = ask(cluster, 9090, "/api/v1/rules")["data"]["groups"]
    bad = {
        rule["name"]: rule["lastError"] for group in rules for rule in group["rules"] if rule.get("lastError")
    }
    assert bad == {}


@pytest.mark.parametrize("metric", ["pg_up", "redis_up", "kafka_up", "nginx_up", "payment_operator_leader"])
def test_the_exporters_reach_what_they_tell_of(prometheus: Prometheus, metric: str) -> None:
    def told() -> list[str]:
        # Of a pod that ended while Prometheus was away the last sample stays for five minutes.
        result = prometheus.query(f"{metric} and timestamp({metric}) > time() - 40").series
        return [sample["value"][1] for sample in result]

    wait(lambda: told() == ["1"], 50, f"{metric} is told once, as 1")


def test_a_payment_goes_on_without_the_collector_which_comes_back(
    cluster: Cluster, demo: Client, jaeger: Jaeger
) -> None:
    cluster.kubectl("-n", NAMESPACE, "delete", "deployment", "otel-collector", "--wait=true")
    seen: list[dict[str, dict[str, str]]] = []

    def missed() -> bool:
        seen.append(state(cluster))
        return seen[-1]["ObservabilityReady"]["status"] == "False"

    wait(missed, 15, "ObservabilityReady False")
    assert "otel-collector" in seen[-1]["ObservabilityReady"]["message"]
    began = time.monotonic()
    assert pay(demo, amount=100, from_account="ACC001", to_account="ACC002")["status"] == "succeeded"
    assert time.monotonic() - began < 5

    def healed() -> bool:
        seen.append(state(cluster))
        return seen[-1]["ObservabilityReady"]["status"] == "True"

    wait(healed, 60, "ObservabilityReady True")
    assert {conditions["Ready"]["status"] for conditions in seen} == {"True"}

    def traced() -> bool:
        """Services drop spans for a moment after a failure; a payment made later is seen by all again."""
        sent = time.time()
        made = pay(demo, amount=100, from_account="ACC001", to_account="ACC002")["id"]
        while time.time() < sent + 12:
            if any(trace.services >= SEEN_BY for trace in jaeger.of_payments([made], sent)[made]):
                return True
            time.sleep(0.5)
        return False

    wait(traced, 60, "a trace from the gateway to the consumers")
