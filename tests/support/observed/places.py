"""Everywhere that people look who watch a platform, as texts; and the values of the platform's Secrets."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hack.kubectl import Cluster
from hack.up import NAMESPACE, OPERATOR_NAMESPACE
from tests.support.observed.jaeger import Jaeger
from tests.support.observed.stores import documents, points

# What a Secret holds beside its secrets: names, and of keys in JSON the public members.
_NAMES = {"username", "customer_id", "customerId"}
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k"}
# Kafka tells the id of its cluster to every client; it opens nothing.
_OPEN = {"kafka-cluster"}
#: Shorter values could stand anywhere by chance.
SHORTEST = 12


def secret_values(cluster: Cluster) -> dict[str, str]:
    """Every secret value of the sample's Secrets, by where it is."""
    found: dict[str, str] = {}
    for secret in cluster.get("-n", NAMESPACE, "secrets")["items"]:
        name = secret["metadata"]["name"]
        if name in _OPEN or secret["type"].startswith("helm.sh/"):
            continue
        for key, value in secret.get("data", {}).items():
            if key not in _NAMES:
                for number, text in enumerate(_texts(base64.b64decode(value))):
                    assert len(text) >= SHORTEST, f"{name}/{key} is too short to be looked for"
                    found[f"{name}/{key} {number}"] = text
    return found


def texts(cluster: Cluster, jaeger: Jaeger, began: float, token: str) -> dict[str, str]:
    """Logs, traces since `began`, documents, points, objects of Kubernetes: all but metrics, by place.

    Args:
        token: of InfluxDB.
    """
    found = logs(cluster)
    spans = {trace.id: trace.raw for name in jaeger.services() for trace in jaeger.traces(name, began)}
    found |= {f"trace {trace}": raw for trace, raw in spans.items()}
    found["documents"] = "\n".join(json.dumps({"id": k, **body}) for k, body in documents(cluster).items())
    found["points"] = json.dumps(points(cluster, token))
    for kind in ("events", "paymentplatforms", "configmaps", "pods", "deployments", "statefulsets", "jobs"):
        found[f"{kind} of the cluster"] = cluster.kubectl("get", kind, "-A", "-o", "json")
    return found


def logs(cluster: Cluster) -> dict[str, str]:
    """Of every container; of one that was started again what it wrote before, too."""
    commands: dict[str, list[str]] = {}
    for namespace in (NAMESPACE, OPERATOR_NAMESPACE):
        for pod in cluster.get("-n", namespace, "pods")["items"]:
            for status in _containers(pod):
                name, container = pod["metadata"]["name"], status["name"]
                command = ["-n", namespace, "logs", name, "-c", container, "--ignore-errors"]
                commands[f"log {name}/{container}"] = command
                if status["restartCount"]:
                    commands[f"log before {name}/{container}"] = [*command, "--previous"]
    with ThreadPoolExecutor(6) as threads:
        return dict(
            zip(commands, threads.map(lambda each: cluster.kubectl(*each), commands.values()), strict=True)
        )


def _containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    status = pod["status"]
    found = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    return [item for item in found if "waiting" not in item["state"] or item["restartCount"]]


def _texts(value: bytes) -> Iterator[str]:
    """The secret texts in a value: itself, or the private members of the keys that it holds."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        yield base64.b64encode(value).decode()
        return
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if isinstance(document, dict | list):
        yield from _members(document)
    else:
        yield text.strip()


def _members(document: Any) -> Iterator[str]:
    if isinstance(document, list):
        for item in document:
            yield from _members(item)
    elif isinstance(document, dict):
        for key, value in document.items():
            if key in _PRIVATE and isinstance(value, str):
                yield value
            else:
                yield from _members(value)
