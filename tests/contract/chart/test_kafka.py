"""Kafka: three brokers that are one quorum, and one of somebody else with TLS and a login."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from payment_operator.credentials import referenced
from payment_operator.values import parse
from tests.contract.chart.helm import (
    CHART,
    MANAGED,
    Refused,
    catalog,
    environment,
    named,
    pods,
    render,
    template,
)
from tests.contract.chart.samples import EXTERNAL, PRODUCTION, merged
from tests.contract.chart.test_network import allowed

USERS = {name for name, entry in catalog()["services"].items() if entry.get("kafka")}
JOBS = {
    name
    for group in ("jobs", "cronJobs")
    for name, entry in catalog()[group].items()
    if "kafka" in entry["needs"]
}
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"
LOGIN = {
    "tls": {"enabled": True, "caSecretRef": {"name": "events-cluster-ca-cert"}},
    "credentialsSecretRef": {"name": "events-user"},
}


def started(folder: Path, node: int, env: dict[str, Any]) -> dict[str, str]:
    """The properties that start.sh gives a node, with programs that only say how they were called."""
    script = (CHART / "files" / "kafka" / "start.sh").read_text()
    places: dict[str, Path | str] = {
        "/var/lib/kafka/data": folder / "data",
        "/etc/payment-platform/cluster": folder / "cluster",
        "/etc/payment-platform/kafka": CHART / "files" / "kafka",
        "/opt/kafka/bin": folder / "bin",
        "/tmp/": f"{folder}/",
    }
    assert all(place in script for place in places)
    script = re.sub("|".join(places), lambda found: str(places[found[0]]), script)
    for name in ("bin", "cluster", "data"):
        (folder / name).mkdir(parents=True)
    (folder / "cluster" / "cluster-id").write_text(CLUSTER_ID)
    for name in ("kafka-storage.sh", "kafka-server-start.sh"):
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\necho "{name} $*"\n')
        program.chmod(0o755)
    variables = {key: value for key, value in env.items() if isinstance(value, str)}
    done = subprocess.run(
        ["bash", "-c", script],
        env=variables | {"PATH": os.environ["PATH"], "HOSTNAME": f"kafka-{node}", "MEMORY_LIMIT_MIB": "640"},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    formatted, run = done.stdout.splitlines()
    assert formatted.startswith("kafka-storage.sh format") and f"--cluster-id {CLUSTER_ID}" in formatted
    assert run == f"kafka-server-start.sh {folder}/server.properties"
    lines = (folder / "server.properties").read_text().splitlines()
    split = [line.partition("=") for line in lines if line and not line.startswith("#")]
    found = {key: value for key, _, value in split}
    assert len(found) == len(split), "a property is set twice"
    return found


@pytest.mark.parametrize(
    ("values", "brokers", "replicas", "in_sync"),
    [
        ({"profile": "dev"}, 1, "1", "1"),
        ({"profile": "dev", "kafka": {"brokers": 3}}, 3, "3", "2"),
        (PRODUCTION, 3, "3", "2"),
    ],
    ids=["one", "three", "production"],
)
def test_the_brokers_are_one_quorum(
    tmp_path: Path, values: dict[str, Any], brokers: int, replicas: str, in_sync: str
) -> None:
    objects = render(values)
    kafka = named(objects, "StatefulSet")["kafka"]["spec"]
    # All at once: the first one alone would wait for the others for ever.
    assert (kafka["replicas"], kafka["podManagementPolicy"]) == (brokers, "Parallel")
    assert kafka["serviceName"] == "kafka-headless"
    headless = named(objects, "Service")["kafka-headless"]["spec"]
    assert (headless["clusterIP"], headless["publishNotReadyAddresses"]) == ("None", True)
    ports = {item["name"]: item["port"] for item in headless["ports"]}
    env = environment(kafka["template"])
    found = [started(tmp_path / str(node), node, env) for node in range(brokers)]
    hosts = [f"kafka-{node}.kafka-headless" for node in range(brokers)]
    voters = ",".join(f"{node}@{host}:{ports['controller']}" for node, host in enumerate(hosts))
    for node, properties in enumerate(found):
        assert properties["process.roles"] == "broker,controller"
        assert properties["node.id"] == str(node)
        assert properties["controller.quorum.voters"] == voters
        assert properties["advertised.listeners"] == f"PLAINTEXT://{hosts[node]}:{ports['client']}"
        assert {value for key, value in properties.items() if key.endswith("replication.factor")} == {
            replicas
        }
        least = {
            value for key, value in properties.items() if re.search(r"min\.(isr|insync\.replicas)$", key)
        }
        assert least == {in_sync}
    assert {("kafka", "kafka", 9092), ("kafka", "kafka", 9093)} <= allowed(objects)
    topics = environment(dict(pods(objects))["topics"])
    assert (topics["TOPIC_REPLICATION"], topics["TOPIC_MIN_INSYNC_REPLICAS"]) == (replicas, in_sync)
    budget = named(objects, "PodDisruptionBudget")["kafka"]["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= kafka["template"]["metadata"]["labels"].items()


def external(**more: Any) -> dict[str, Any]:
    return merged(EXTERNAL, {"kafka": {"external": more}, "observability": {"prometheus": {"enabled": True}}})


def test_everybody_who_uses_kafka_logs_in_by_tls_where_it_asks_for_it() -> None:
    found = {name: environment(pod) for name, pod in pods(render(merged(MANAGED, external(**LOGIN))))}
    users = {name for name, env in found.items() if "KAFKA_BOOTSTRAP_SERVERS" in env}
    assert users == USERS | JOBS | {"kafka-exporter"}
    for name in users:
        env = {key: value for key, value in found[name].items() if key.startswith("KAFKA_")}
        assert env == {
            "KAFKA_BOOTSTRAP_SERVERS": "b-0.kafka:9094,b-1.kafka:9094",
            "KAFKA_TLS": "true",
            "KAFKA_CA": {"secretKeyRef": {"name": "events-cluster-ca-cert", "key": "ca.crt"}},
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_USERNAME": "events-user",
            "KAFKA_PASSWORD": {"secretKeyRef": {"name": "events-user", "key": "password"}},
        }
    for name in found.keys() - users:
        assert not [key for key in found[name] if key.startswith("KAFKA_")], name


def test_a_login_or_tls_alone_and_what_is_set_wins() -> None:
    def env(**more: Any) -> dict[str, Any]:
        found = environment(dict(pods(render(external(**more))))["kyc-service"])
        return {key: value for key, value in found.items() if key.startswith("KAFKA_")}

    assert env().keys() == {"KAFKA_BOOTSTRAP_SERVERS"}
    assert env(tls={"enabled": True}).keys() == {"KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TLS"}
    plain = env(
        tls={"enabled": True},
        credentialsSecretRef={"name": "login"},
        username="shop",
        mechanism="PLAIN",
    )
    assert (plain["KAFKA_USERNAME"], plain["KAFKA_SASL_MECHANISM"]) == ("shop", "PLAIN")
    assert "KAFKA_CA" not in plain
    # Of a builtin one nothing of it counts.
    assert "KAFKA_TLS" not in environment(dict(pods(render({"profile": "dev"})))["kyc-service"])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"credentialsSecretRef": {"name": "login"}, "mechanism": "PLAIN"}, "PLAIN sends the password"),
        ({"tls": {"caSecretRef": {"name": "authority"}}}, "caSecretRef: has no effect without TLS"),
    ],
)
def test_what_is_unsafe_or_without_effect_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        template(external(**more))


def test_a_changed_login_or_authority_rolls_who_uses_it() -> None:
    def annotations(**hashes: str) -> dict[str, Any]:
        hashed = {name.replace("_", "-"): value for name, value in hashes.items()}
        values = merged(merged(MANAGED, external(**LOGIN)), {"operator": {"secretHashes": hashed}})
        return {name: pod["metadata"].get("annotations") for name, pod in pods(render(values))}

    before = annotations(events_user="1", events_cluster_ca_cert="1")
    for after in (
        annotations(events_user="2", events_cluster_ca_cert="1"),
        annotations(events_user="1", events_cluster_ca_cert="2"),
    ):
        rolled = {name for name in before if before[name] != after[name]}
        assert rolled == USERS | JOBS | {"kafka-exporter"}


def test_the_operator_asks_for_the_keys_that_pods_take() -> None:
    spec = parse(external(**LOGIN))
    found = {name: keys for name, (_, keys) in referenced(spec).items()}
    assert (found["events-user"], found["events-cluster-ca-cert"]) == (("password",), ("ca.crt",))
