"""The typed spec and what is generated from it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from hack.generation.reference import reference
from hack.generation.schemas import crd, structural, values_schema
from payment_operator.errors import InvalidSpec
from payment_operator.rules import RULES_KEY
from payment_operator.spec import PaymentPlatformSpec, Services
from payment_operator.status_types import PaymentPlatformStatus
from payment_operator.upgrade import Check, Phase, Upgrade, to_status
from payment_operator.values import parse, recorded, release_of, values_of

SCHEMA = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from nodes(value)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"profile": "prod"}, "spec.profile"),
        ({}, "spec.profile"),
        (
            {"profile": "dev", "services": {"api-gateway": {"replicas": -1}}},
            "spec.services.api-gateway.replicas",
        ),
        ({"profile": "dev", "services": {"mail": {}}}, "spec.services.mail"),
        ({"profile": "dev", "postgres": {"storage": {"size": "ten"}}}, "spec.postgres.storage.size"),
        ({"profile": "dev", "postgres": {"storage": {"size": "0Gi"}}}, "spec.postgres.storage.size"),
        ({"profile": "dev", "security": {"rateLimit": {"window": "15"}}}, "spec.security.rateLimit.window"),
        ({"profile": "dev", "kafka": {"brokers": 2}}, "spec.kafka.brokers"),
        ({"profile": "dev", "loadBalancer": {"nodePort": 80}}, "spec.loadBalancer.nodePort"),
        ({"profile": "dev", "version": "latest"}, "spec.version"),
    ],
)
def test_a_wrong_spec_is_refused_by_its_field(spec: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidSpec, match=f"^{field}: "):
        parse(spec)


def test_values_are_the_spec_key_for_key_and_say_who_manages() -> None:
    spec = {
        "profile": "staging",
        "paused": True,
        "services": {
            "partner-bank-api": {"replicas": 2, "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}
        },
        "loadBalancer": {"ingress": {"host": "a.example", "tlsSecretName": "t"}},
        "services.x": None,
    }
    del spec["services.x"]
    values = values_of(parse(spec), {"otp-hmac-key": "abc"})
    assert values.pop("operator") == {
        "managed": True,
        "secretHashes": {"otp-hmac-key": "abc"},
        "restored": False,
    }
    assert values == {key: value for key, value in spec.items() if key != "paused"}


@pytest.mark.parametrize(
    ("image", "release"),
    [
        (None, "0.1.0"),
        ({"tag": "0.1.0"}, "0.1.0"),
        ({"tag": "x"}, "0.1.0 (*:x)"),
        ({"registry": "r.example/"}, "0.1.0 (r.example/*:0.1.0)"),
    ],
)
def test_a_release_is_version_and_images(image: dict[str, str] | None, release: str) -> None:
    spec = parse({"profile": "dev"} | ({"image": image} if image else {}))
    assert release_of(spec, "0.1.0") == release


def test_the_crd_is_structural() -> None:
    for node in nodes(SCHEMA["properties"]["spec"]):
        assert not node.keys() & {"$ref", "$defs", "default", "title", "const", "oneOf", "allOf", "if"}
        assert "additionalProperties" not in node
        if "properties" in node and "type" in node:
            assert node["type"] == "object"


def test_every_string_and_list_of_the_spec_is_bounded() -> None:
    """The API server estimates what a rule costs from these bounds, and refuses the CRD without."""
    for node in nodes(SCHEMA["properties"]["spec"]):
        if node == {"type": "string"}:  # a branch of int-or-string, whose bound stands beside
            continue
        if node.get("type") == "string" and "enum" not in node:
            assert "maxLength" in node, node
        if node.get("type") == "array":
            assert "maxItems" in node, node


def test_every_rule_names_its_fix_and_blames_a_field_that_exists() -> None:
    rules = [
        (node, rule)
        for node in nodes(SCHEMA)
        if isinstance(node.get(RULES_KEY), list)
        for rule in node[RULES_KEY]
    ]
    assert len(rules) > 30
    for node, rule in rules:
        assert len(rule["message"]) > 20
        field = rule.get("fieldPath", "").lstrip(".")
        assert not field or field in node["properties"], rule


def test_the_crd_is_kept_on_uninstall_and_shows_the_promised_columns() -> None:
    document = crd()
    assert document["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    version = document["spec"]["versions"][0]
    names = [column["name"] for column in version["additionalPrinterColumns"] if not column.get("priority")]
    assert names == ["READY", "SERVICES", "VERSION", "PROFILE", "AGE"]
    assert version["subresources"] == {"status": {}}


def test_the_values_schema_refuses_unknown_keys_everywhere() -> None:
    schema = values_schema()
    hidden = schema["properties"].pop("operator")
    schema["properties"].pop("global")
    assert hidden["additionalProperties"] is False
    for node in nodes(schema):
        if isinstance(node.get("properties"), dict) and node.get("type") == "object":
            assert node["additionalProperties"] is False
        assert not any(str(key).startswith("x-") for key in node)


def test_spec_and_schema_have_the_same_services() -> None:
    properties = structural(PaymentPlatformSpec)["properties"]["services"]["properties"]
    assert list(properties) == [name.replace("_", "-") for name in Services.model_fields]
    assert len(properties) == 11


def test_the_reference_tells_every_field_and_condition() -> None:
    text = reference()
    for name in (
        "`postgres.storage.onDelete`",
        "`services.<name>.env[].name`",
        "`PaymentPathReady`",
        "`paused`",
    ):
        assert name in text


def pruned(value: Any, schema: dict[str, Any]) -> Any:
    """What the API server stores of a value: what the schema does not specify goes.

    https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning
    """
    if isinstance(value, list):
        return [pruned(item, schema.get("items", {})) for item in value]
    if not isinstance(value, dict):
        return value
    named, rest = schema.get("properties", {}), schema.get("additionalProperties")
    kept = {}
    for key, item in value.items():
        if key in named:
            kept[key] = pruned(item, named[key])
        elif rest is not None:
            kept[key] = pruned(item, rest if isinstance(rest, dict) else {})
        elif schema.get("x-kubernetes-preserve-unknown-fields"):
            kept[key] = item
    return kept


def test_the_api_server_stores_the_whole_record_of_an_upgrade() -> None:
    spec = parse({"profile": "dev", "image": {"tag": "a"}, "services": {"kyc-service": {"replicas": 2}}})
    checks = (Check("images", True, "all can be had"),)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    record = Upgrade("0.1.0", "0.2.0", Phase.SMOKE, moment, moment, 2, "why", "none", 3, "1", checks)
    status = {"lastGood": recorded("0.1.0", "0.1.0 (*:a)", spec), "upgrade": to_status(record)}
    assert pruned(status, structural(PaymentPlatformStatus)) == status
