"""The operator keeps what is declared, also while a dependency is down."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from hack.kubectl import Cluster, condition
from hack.up import NAME, NAMESPACE, OPERATOR_NAMESPACE

DEPLOYMENTS = {
    "load-balancer",
    "api-gateway",
    "confirm-service",
    "risk-service",
    "notification-service",
    "otp-service",
    "account-service",
    "audit-service",
    "ofac-service",
    "kyc-service",
    "partner-bank-api",
}


def wait(check: Callable[[], bool], seconds: float, what: str) -> float:
    """Seconds until `check` holds; fails after `seconds`."""
    began = time.monotonic()
    while not check():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.25)
    return time.monotonic() - began


def deployment(cluster: Cluster, name: str) -> dict[str, Any]:
    """The Deployment, {} when there is none."""
    items = cluster.get("-n", NAMESPACE, "deployments", f"--field-selector=metadata.name={name}")["items"]
    return items[0] if items else {}


def state_of(cluster: Cluster, kind: str) -> str:
    """Status of a condition of the sample."""
    platform = cluster.get("-n", NAMESPACE, "paymentplatform", NAME)
    return str(condition(platform, kind).get("status"))


def available(cluster: Cluster, name: str) -> bool:
    """True when the Deployment's condition Available is True."""
    return condition(deployment(cluster, name), "Available").get("status") == "True"


def repair(cluster: Cluster, name: str) -> tuple[float, float]:
    """Delete a Deployment; seconds until there is a new one and until it is Available."""
    before = deployment(cluster, name)["metadata"]["uid"]
    cluster.kubectl("-n", NAMESPACE, "delete", "deployment", name)
    new = wait(
        lambda: deployment(cluster, name).get("metadata", {}).get("uid", before) != before,
        10,
        f"a new {name}",
    )
    return new, wait(lambda: available(cluster, name), 60, f"{name} Available")


def test_the_platform_is_ready_with_eleven_services(cluster: Cluster) -> None:
    platform = cluster.get("-n", NAMESPACE, "paymentplatform", NAME)
    assert condition(platform, "Ready")["status"] == "True"
    assert platform["status"]["services"]["ready"] == "11/11"
    names = {item["metadata"]["name"] for item in cluster.get("-n", NAMESPACE, "deployments")["items"]}
    assert names >= DEPLOYMENTS
    assert all(available(cluster, name) for name in DEPLOYMENTS)
    row = cluster.kubectl("-n", NAMESPACE, "get", "pp", NAME, "--no-headers").split()
    assert row[1:3] == ["True", "11/11"]


def test_conditions_of_a_platform_at_rest(cluster: Cluster) -> None:
    # The search engine starts for a minute or two, after the payments.
    wait(lambda: state_of(cluster, "ObservabilityReady") == "True", 180, "all parts ready")
    platform = cluster.get("-n", NAMESPACE, "paymentplatform", NAME)
    for kind in ("SecretsReady", "PostgresReady", "RedisReady", "KafkaReady", "MigrationsApplied"):
        assert condition(platform, kind)["status"] == "True"
    assert condition(platform, "Progressing")["status"] == "False"
    assert condition(platform, "Degraded")["status"] == "False"


def test_a_deleted_deployment_comes_back(cluster: Cluster) -> None:
    repair(cluster, "confirm-service")


@pytest.fixture
def kafka_down(cluster: Cluster) -> Iterator[None]:
    """No pod of Kafka can be made: an admission policy refuses it."""
    name = "e2e-kafka-down"
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                    }
                ]
            },
            "validations": [
                {"expression": "!object.metadata.name.startsWith('kafka-')", "message": "Kafka stays down"}
            ],
        },
    }
    selector = {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": selector},
        },
    }
    cluster.apply(policy, binding)
    try:
        time.sleep(3)  # admission policies take effect within a few seconds
        cluster.kubectl("-n", NAMESPACE, "delete", "pod", "kafka-0", "--wait=true")
        yield
    finally:
        cluster.kubectl("delete", "validatingadmissionpolicybinding", name, "--ignore-not-found")
        cluster.kubectl("delete", "validatingadmissionpolicy", name, "--ignore-not-found")
        # The StatefulSet's controller has backed off meanwhile; a touch makes it try at once.
        wait(
            lambda: (
                condition(cluster.get("-n", NAMESPACE, "paymentplatform", NAME), "KafkaReady")["status"]
                == "True"
            ),
            240,
            "Kafka back",
        )


@pytest.mark.usefixtures("kafka_down")
def test_a_deleted_deployment_comes_back_while_kafka_is_down(cluster: Cluster) -> None:
    wait(
        lambda: (
            condition(cluster.get("-n", NAMESPACE, "paymentplatform", NAME), "KafkaReady")["status"]
            == "False"
        ),
        30,
        "KafkaReady False",
    )
    repair(cluster, "confirm-service")


def test_drift_in_an_owned_field_is_reverted(cluster: Cluster) -> None:
    cluster.kubectl(
        *("-n", NAMESPACE, "patch", "service", "kyc-service", "--type=json"),
        *("-p", '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 9}]'),
    )

    def healed() -> bool:
        service = cluster.get("-n", NAMESPACE, "service", "kyc-service")
        return bool(service["spec"]["ports"][0]["targetPort"] != 9)

    wait(healed, 10, "the drift reverted")


def writes_of_the_operator(cluster: Cluster, since: datetime) -> list[str]:
    """What the operator wrote in the sample's namespace, by the API server's own audit log."""
    command = ["docker", "exec", cluster.settings.control_plane, "cat", "/var/log/kubernetes/audit.log"]
    log = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    user = f"system:serviceaccount:{OPERATOR_NAMESPACE}:payment-operator"
    found = []
    for line in log.splitlines():
        event = json.loads(line)
        written = event["verb"] in ("create", "update", "patch", "delete")
        if written and event["user"]["username"] == user and event["stage"] == "ResponseComplete":
            what = event.get("objectRef", {})
            if (
                datetime.fromisoformat(event["requestReceivedTimestamp"]) >= since
                and what.get("namespace") == NAMESPACE
            ):
                found.append(f"{event['verb']} {what.get('resource')} {what.get('name')}")
    return found


def test_an_unchanged_platform_is_not_written_to(cluster: Cluster) -> None:
    wait(lambda: all(available(cluster, name) for name in DEPLOYMENTS), 60, "a quiet platform")
    time.sleep(5)
    since = datetime.now(UTC)
    for _ in range(3):
        cluster.kubectl("-n", NAMESPACE, "annotate", "pp", NAME, f"e2e/touched={time.time()}", "--overwrite")
        time.sleep(3)
    assert writes_of_the_operator(cluster, since) == []
    # The same log does show a repair: the check above can fail.
    cluster.kubectl("-n", NAMESPACE, "delete", "service", "kyc-service")
    wait(lambda: writes_of_the_operator(cluster, since) != [], 15, "the repair of a Service")
