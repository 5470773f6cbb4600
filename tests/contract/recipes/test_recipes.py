"""The recipes: our platforms against our schema and chart, the others' objects against what they publish.

CloudNativePG and External Secrets publish their CRDs in their Go modules, which are fetched, checked by Go's
checksum database. Strimzi publishes no package with its CRDs: its objects are checked by known keys.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from hack.generation.schemas import crd
from hack.kind.tools import module_folder
from payment_operator.catalog import schemas, secret_kinds
from payment_operator.credentials import referenced
from payment_operator.values import parse, values_of
from tests.contract.chart.helm import CHART, named, render

Object = dict[str, Any]
RECIPES = Path(__file__).parents[3] / "kustomize" / "recipes"
NAMES = ("cloudnative-pg", "strimzi", "external-secrets")
#: Go module, version, and the CRD in it, by the kind of the objects.
PUBLISHED = {
    "Cluster": (
        "github.com/cloudnative-pg/cloudnative-pg",
        "v1.27.0",
        "config/crd/bases/postgresql.cnpg.io_clusters.yaml",
    ),
    "ExternalSecret": (
        "github.com/external-secrets/external-secrets",
        "v0.20.1",
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
    ),
}
#: Of Strimzi's API `v1`: the keys below `spec` that the recipe may use, by their paths.
STRIMZI = {
    "KafkaNodePool": {"replicas", "roles", "storage", "storage.type", "storage.volumes"}
    | {f"storage.volumes.{key}" for key in ("id", "type", "size", "kraftMetadata")},
    "Kafka": {"kafka", "kafka.listeners", "kafka.config", "entityOperator", "entityOperator.userOperator"}
    | {f"kafka.listeners.{key}" for key in ("name", "port", "type", "tls", "networkPolicyPeers")}
    | {"kafka.listeners.authentication", "kafka.listeners.authentication.type"},
    "KafkaUser": {"authentication", "authentication.type"},
}


def documents(recipe: str) -> list[Object]:
    """All objects of a recipe."""
    paths = sorted((RECIPES / recipe).glob("*.yaml"))
    return [item for path in paths for item in yaml.safe_load_all(path.read_text())]


def of_kind(recipe: str, kind: str) -> list[Object]:
    """Those of one kind."""
    return [item for item in documents(recipe) if item["kind"] == kind]


def strict(schema: Any) -> Any:
    """The schema with every unknown member refused, which the API server would drop instead."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
    return result


def wrong(schema: Object, version: str, body: Object) -> list[str]:
    """What a CRD's version has against an object."""
    versions = {item["name"]: item for item in schema["spec"]["versions"] if item["served"]}
    rules = strict(versions[version]["schema"]["openAPIV3Schema"])
    rules["properties"]["metadata"] = {"type": "object"}
    return [f"{list(e.instance_path)}: {e.message}" for e in jsonschema_rs.iter_errors(rules, body)]


def paths(value: Any, prefix: str = "") -> Iterator[str]:
    """Dotted paths of all keys, those of lists' items without a number; no deeper than what is free."""
    if isinstance(value, list):
        for item in value:
            yield from paths(item, prefix)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield f"{prefix}{key}"
            if key not in ("config", "networkPolicyPeers"):
                yield from paths(inner, f"{prefix}{key}.")


@pytest.mark.parametrize("recipe", NAMES)
def test_the_platform_is_valid_and_renders(recipe: str) -> None:
    (platform,) = of_kind(recipe, "PaymentPlatform")
    assert wrong(crd(), "v1alpha1", platform) == []
    assert {item["metadata"]["namespace"] for item in documents(recipe)} == {"payments"}
    objects = render(values_of(parse(platform["spec"]), {}))
    assert len([item for item in objects if item["kind"] == "Deployment"]) == 11
    assert wrong(crd(), "v1alpha1", platform | {"spec": platform["spec"] | {"postgress": {}}})


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_others_objects_are_valid_by_their_own_schema(kind: str, tmp_path: Path) -> None:
    module, version, path = PUBLISHED[kind]
    published = yaml.load((module_folder(module, version, tmp_path) / path).read_text(), yaml.CSafeLoader)
    found = [item for recipe in NAMES for item in of_kind(recipe, kind)]
    assert found
    for item in found:
        group, _, number = item["apiVersion"].partition("/")
        assert group == published["spec"]["group"]
        assert wrong(published, number, item) == []
        assert wrong(published, number, item | {"spec": item["spec"] | {"misspelt": 1}})


def test_cloudnative_pg_gives_what_the_platform_takes() -> None:
    (cluster,) = of_kind("cloudnative-pg", "Cluster")
    (platform,) = of_kind("cloudnative-pg", "PaymentPlatform")
    external = platform["spec"]["postgres"]["external"]
    name = cluster["metadata"]["name"]
    assert external["host"] == f"{name}-rw"
    assert external["superuserSecretRef"]["name"] == f"{name}-superuser"
    assert cluster["spec"]["enableSuperuserAccess"] is True
    assert external["database"] == cluster["spec"]["bootstrap"]["initdb"]["database"]
    # CloudNativePG's Secrets have these keys among others (username, password, host, port, dbname, uri, …).
    wanted = referenced(parse(platform["spec"]))
    assert {keys for _, keys in wanted.values()} == {("username", "password")}
    objects = render(values_of(parse(platform["spec"]), {}))
    assert "postgres" not in named(objects, "StatefulSet")
    pools = sum(
        int(variable["value"]) * int(item["spec"].get("replicas", 1))
        for item in objects
        if item["kind"] == "Deployment"
        for variable in item["spec"]["template"]["spec"]["containers"][0].get("env", [])
        if variable["name"] == "DATABASE_POOL_MAX"
    )
    # While services roll there is one pod more of each.
    assert 2 * pools <= int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])


def test_strimzi_gives_what_the_platform_takes() -> None:
    (kafka,), (nodes,) = of_kind("strimzi", "Kafka"), of_kind("strimzi", "KafkaNodePool")
    (user,) = of_kind("strimzi", "KafkaUser")
    for item in (kafka, nodes, user):
        assert item["apiVersion"] == "kafka.strimzi.io/v1"
        assert set(paths(item["spec"])) <= STRIMZI[item["kind"]]
    name = kafka["metadata"]["name"]
    assert nodes["metadata"]["labels"] == user["metadata"]["labels"] == {"strimzi.io/cluster": name}
    assert (nodes["spec"]["replicas"], nodes["spec"]["roles"]) == (3, ["controller", "broker"])
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    (platform,) = of_kind("strimzi", "PaymentPlatform")
    external = platform["spec"]["kafka"]["external"]
    assert external["bootstrapServers"] == f"{name}-kafka-bootstrap:{listener['port']}"
    # Strimzi makes a Secret of the user's name (password, sasl.jaas.config) and one of its authority.
    assert (listener["tls"], external["tls"]["enabled"]) == (True, True)
    assert user["spec"]["authentication"] == listener["authentication"] == {"type": "scram-sha-512"}
    assert (
        referenced(parse(platform["spec"])).items()
        >= {
            user["metadata"]["name"]: ("spec.kafka.external.credentialsSecretRef", ("password",)),
            f"{name}-cluster-ca-cert": ("spec.kafka.external.tls.caSecretRef", ("ca.crt",)),
        }.items()
    )
    objects = render(values_of(parse(platform["spec"]), {}))
    (peer,) = listener["networkPolicyPeers"]
    for workload in named(objects, "Deployment").values():
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert peer["podSelector"]["matchLabels"].items() <= labels.items()
    (topics,) = [item for key, item in named(objects, "Job").items() if key.startswith("topics-")]
    env = {
        item["name"]: item.get("value") for item in topics["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert (env["KAFKA_TLS"], env["KAFKA_USERNAME"]) == ("true", user["metadata"]["name"])
    assert env["KAFKA_SASL_MECHANISM"] == "SCRAM-SHA-512"
    config = kafka["spec"]["kafka"]["config"]
    assert env["TOPIC_REPLICATION"] == str(config["default.replication.factor"]) == "3"
    assert env["TOPIC_MIN_INSYNC_REPLICAS"] == str(config["min.insync.replicas"]) == "2"


def test_external_secrets_bring_what_the_platform_reads() -> None:
    (platform,) = of_kind("external-secrets", "PaymentPlatform")
    wanted = {kind.name: set(kind.keys) for kind in secret_kinds(schemas(CHART))}
    wanted |= {name: set(keys) for name, (_, keys) in referenced(parse(platform["spec"])).items()}
    found = of_kind("external-secrets", "ExternalSecret")
    assert len(found) >= 3
    for item in found:
        name = item["spec"]["target"]["name"]
        keys = {entry["secretKey"] for entry in item["spec"]["data"]}
        assert name == item["metadata"]["name"] and name in wanted
        assert keys == (wanted[name] or {"account-sid", "auth-token", "from"})


def test_three_brokers_of_our_own_are_one_quorum_in_production() -> None:
    production = yaml.safe_load((RECIPES.parent / "overlays" / "production" / "platform.yaml").read_text())
    objects = render(values_of(parse(production["spec"]), {}))
    kafka = named(objects, "StatefulSet")["kafka"]
    assert (kafka["spec"]["replicas"], kafka["spec"]["podManagementPolicy"]) == (3, "Parallel")
    (container,) = kafka["spec"]["template"]["spec"]["containers"]
    env = {item["name"]: item.get("value") for item in container["env"]}
    assert (env["BROKERS"], env["REPLICATION"], env["MIN_IN_SYNC"]) == ("3", "3", "2")
    ports = {
        port["name"]: port["port"] for port in named(objects, "Service")["kafka-headless"]["spec"]["ports"]
    }
    assert ports == {"client": 9092, "controller": 9093}
    budget = named(objects, "PodDisruptionBudget")["kafka"]["spec"]
    assert budget.get("maxUnavailable") == 1 or budget.get("minAvailable") == 2
    spread = kafka["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert {item["topologyKey"] for item in spread} >= {"kubernetes.io/hostname"}
