"""From the typed spec to the two schemas: the CRD's (structural OpenAPI) and the chart's (JSON Schema)."""

from __future__ import annotations

from typing import Any

from payment_operator.kinds import GROUP, KIND, PLURAL, VERSION
from payment_operator.rules import RULES_KEY
from payment_operator.spec import PaymentPlatformSpec
from payment_operator.spec_types import Model
from payment_operator.status_types import PaymentPlatformStatus

Schema = dict[str, Any]


def crd() -> Schema:
    """The CustomResourceDefinition; kept on ``helm uninstall``, for with it would go every platform."""
    columns = [
        ("READY", "string", '.status.conditions[?(@.type=="Ready")].status', 0),
        ("SERVICES", "string", ".status.services.ready", 0),
        ("VERSION", "string", ".status.version", 0),
        ("PROFILE", "string", ".spec.profile", 0),
        ("AGE", "date", ".metadata.creationTimestamp", 0),
        ("REASON", "string", '.status.conditions[?(@.type=="Ready")].reason', 1),
    ]
    name = {
        "rule": "self.metadata.name.size() <= 53",
        "message": "the name is longer than 53 characters: choose a shorter one",
    }
    root: Schema = {
        "description": "A whole payment system in its namespace; one for each namespace.",
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(PaymentPlatformSpec),
            "status": structural(PaymentPlatformStatus),
        },
        RULES_KEY: [name],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{PLURAL}.{GROUP}",
            "annotations": {"helm.sh/resource-policy": "keep"},
            "labels": {
                "app.kubernetes.io/name": "payment-operator",
                "app.kubernetes.io/part-of": "payment-platform",
            },
        },
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": "paymentplatform",
                "shortNames": ["pp"],
                "categories": ["payments"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [
                        {"name": name, "type": kind, "jsonPath": path} | ({"priority": 1} if priority else {})
                        for name, kind, path, priority in columns
                    ],
                    "schema": {"openAPIV3Schema": root},
                }
            ],
        },
    }


def values_schema() -> Schema:
    """JSON Schema of the chart's values: the spec, and what only the operator or Helm itself sets."""
    schema: Schema = _values(_inlined(PaymentPlatformSpec))
    schema["properties"]["operator"] = {
        "description": "Set by the operator, never by hand.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "managed": {"type": "boolean"},
            "restored": {"type": "boolean"},
            "secretHashes": {"type": "object", "additionalProperties": {"type": "string"}},
            "metrics": {"type": "string"},
        },
    }
    schema["properties"]["global"] = {"description": "Set by Helm for subcharts.", "type": "object"}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of payment-platform",
    } | schema


def structural(model: type[Model]) -> Schema:
    """The model as a structural schema: no references, no nulls; what is not declared is refused."""
    schema: Schema = _structural(_inlined(model))
    return schema


def _inlined(model: type[Model]) -> Schema:
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    inlined: Schema = _resolve(schema, definitions)
    return inlined


def _resolve(node: Any, definitions: Schema) -> Any:
    """References replaced by what they point to; ``X or null`` by X, for an absent key says the same."""
    if isinstance(node, list):
        return [_resolve(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: value for key, value in node.items() if not (key == "default" and value is None)}
    if "$ref" in node:
        target = definitions[node.pop("$ref").removeprefix("#/$defs/")]
        node = target | node
    branches = node.get("anyOf", [])
    if {"type": "null"} in branches:
        (branch,) = [item for item in branches if item != {"type": "null"}]
        del node["anyOf"]
        return _resolve(branch | node if "$ref" in branch else {**branch, **node}, definitions)
    if isinstance(node.get("title"), str):
        del node["title"]
    return {key: _resolve(value, definitions) for key, value in node.items()}


def _structural(node: Any) -> Any:
    if isinstance(node, list):
        return [_structural(item) for item in node]
    if not isinstance(node, dict):
        return node
    # Pruning leaves of an object with additionalProperties the outermost keys only; what is to be kept whole
    # must say x-kubernetes-preserve-unknown-fields alone.
    plain = isinstance(node.get("additionalProperties"), bool)
    return {
        key: _structural(value)
        for key, value in node.items()
        if not (key == "additionalProperties" and plain)
    }


def _values(node: Any) -> Any:
    if isinstance(node, list):
        return [_values(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _values(value) for key, value in node.items() if not key.startswith("x-kubernetes-")}
