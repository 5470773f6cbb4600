"""The platform of the experiments: what is declared, what runs, and how it is changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from hack.kubectl import Cluster, condition, wait_ready
from hack.up import NAME, NAMESPACE, OPERATOR_NAMESPACE
from tests.support import pods
from tests.support.upgrades import patch, platform

#: Of the services that experiments change: by a variable that nothing reads, so that pods roll and no more.
CHANGED = ("kyc-service", "ofac-service", "partner-bank-api")
SCALED = "notification-service"
VARIABLE = "CHAOS_ROUND"
OPERATOR = "deployment/payment-operator"
#: Of the operator: what it gives a restart, and an autoscaler's floor, before the next step.
PATIENCE = ("PAYMENT_OPERATOR_SETTLE_SECONDS", "PAYMENT_OPERATOR_SCALE_IN_SECONDS")


def change(cluster: Cluster, value: str | None) -> None:
    """Declare another variable for three services; None: none."""
    env = None if value is None else [{"name": VARIABLE, "value": value}]
    patch(cluster, {"spec": {"services": {name: {"env": env} for name in CHANGED}}})


def carried_out(cluster: Cluster, value: str) -> bool:
    """Whether the operator has written all of a change and says so."""
    found = platform(cluster)
    if found["status"].get("observedGeneration") != found["metadata"]["generation"]:
        return False
    live = deployments(cluster)
    return all(_variable(live[name]) == value for name in CHANGED)


def _variable(deployment: Mapping[str, Any]) -> str | None:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return next((item.get("value") for item in container["env"] if item["name"] == VARIABLE), None)


def deployments(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """By name."""
    return {item["metadata"]["name"]: item for item in cluster.get("-n", NAMESPACE, "deployments")["items"]}


def services(cluster: Cluster) -> set[str]:
    """Names of the payment services, without what watches them."""
    return set(platform(cluster)["spec"].get("services", {})) or set(deployments(cluster))


def generations(cluster: Cluster) -> dict[str, int]:
    """How often each Deployment's spec was changed."""
    return {name: int(item["metadata"]["generation"]) for name, item in deployments(cluster).items()}


def state(found: Mapping[str, Any], kind: str) -> str:
    """Status of one of its conditions."""
    return str(condition(dict(found), kind).get("status"))


def ready(cluster: Cluster, seconds: float = 300) -> None:
    """Wait until it is Ready and nothing of it rolls."""
    wait_ready(cluster, NAMESPACE, NAME, seconds, lambda _: None)


def operator_pod(cluster: Cluster) -> dict[str, Any]:
    """The one that runs."""
    found = pods.of(cluster, "payment-operator", OPERATOR_NAMESPACE)
    assert len(found) == 1, [pod["metadata"]["name"] for pod in found]
    return found[0]


def operator_settings(cluster: Cluster, settings: Mapping[str, object]) -> None:
    """Give the operator variables of its environment (None: take away), and wait until it runs with them."""
    words = [f"{name}-" if value is None else f"{name}={value}" for name, value in settings.items()]
    cluster.kubectl("-n", OPERATOR_NAMESPACE, "set", "env", OPERATOR, *words)
    cluster.kubectl("-n", OPERATOR_NAMESPACE, "rollout", "status", OPERATOR, "--timeout=120s", timeout=130)


def usual_operator(cluster: Cluster) -> None:
    """Take back what an interrupted experiment has given it."""
    items = cluster.get("-n", OPERATOR_NAMESPACE, OPERATOR)["spec"]["template"]["spec"]["containers"][0][
        "env"
    ]
    if left := {item["name"]: None for item in items if item["name"] in PATIENCE}:
        operator_settings(cluster, left)


def workers(cluster: Cluster) -> Sequence[str]:
    """Names of the nodes that run pods of the platform."""
    items = cluster.get("nodes", "-l", "!node-role.kubernetes.io/control-plane")["items"]
    return sorted(item["metadata"]["name"] for item in items)


def restarts(cluster: Cluster) -> dict[str, int]:
    """How often the containers of each running pod were started again."""
    return {
        pod["metadata"]["name"]: sum(item["restartCount"] for item in pod["status"]["containerStatuses"])
        for pod in pods.running(cluster)
    }


def undeclare(cluster: Cluster) -> None:
    """Take back whatever an experiment declares."""
    services: dict[str, Any] = {name: {"env": None} for name in CHANGED}
    services[SCALED] = {"autoscaling": None}
    if _touched(platform(cluster)["spec"].get("services", {})):
        patch(cluster, {"spec": {"services": services}})


def _touched(services: Mapping[str, Any]) -> bool:
    return "autoscaling" in services.get(SCALED, {}) or any(
        "env" in services.get(name, {}) for name in CHANGED
    )
