"""Drift by ownership: the API server's record of fields against what we want."""

from typing import Any

import pytest

from payment_operator.drift import owns_all

MANAGER = "payment-operator"
BODY: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "a", "namespace": "n", "labels": {"x": "1"}},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"x": "1"}},
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "main",
                        "image": "i:1",
                        "args": ["a", "b"],
                        "ports": [{"containerPort": 80}],
                        "env": [{"name": "E", "value": "1"}],
                        "securityContext": {},
                    }
                ],
                "volumes": None,
            }
        },
    },
}


def fields() -> dict[str, Any]:
    """What the API server records for BODY."""
    container: dict[str, Any] = {
        ".": {},
        "f:name": {},
        "f:image": {},
        "f:args": {},
        "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
        "f:env": {'k:{"name":"E"}': {".": {}, "f:name": {}, "f:value": {}}},
        "f:securityContext": {},
    }
    return {
        "f:metadata": {"f:labels": {"f:x": {}}},
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:template": {"f:spec": {"f:containers": {'k:{"name":"main"}': container}}},
        },
    }


def live(owned: dict[str, Any], **entry: Any) -> dict[str, Any]:
    mine = {"manager": MANAGER, "operation": "Apply", "fieldsV1": owned} | entry
    other = {"manager": "kubelet", "operation": "Update", "subresource": "status", "fieldsV1": {}}
    return {"metadata": {"name": "a", "managedFields": [other, mine]}}


def container(owned: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = owned["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"main"}']
    return found


def test_all_fields_owned() -> None:
    assert owns_all(live(fields()), BODY, MANAGER)


@pytest.mark.parametrize("lost", ["f:image", "f:args", "f:ports", "f:env", "f:securityContext"])
def test_a_field_that_somebody_took(lost: str) -> None:
    owned = fields()
    del container(owned)[lost]
    assert not owns_all(live(owned), BODY, MANAGER)


def test_a_value_within_a_list_of_maps_that_somebody_took() -> None:
    owned = fields()
    del container(owned)["f:env"]['k:{"name":"E"}']["f:value"]
    assert not owns_all(live(owned), BODY, MANAGER)


def test_an_item_that_somebody_removed() -> None:
    owned = fields()
    container(owned)["f:ports"] = {'k:{"containerPort":81,"protocol":"TCP"}': {".": {}}}
    assert not owns_all(live(owned), BODY, MANAGER)


def test_another_protocol_is_another_port() -> None:
    owned = fields()
    container(owned)["f:ports"] = {'k:{"containerPort":80,"protocol":"UDP"}': {".": {}}}
    body = {"metadata": {}, "spec": {"ports": [{"containerPort": 80, "protocol": "TCP"}]}}
    assert not owns_all(live({"f:spec": {"f:ports": container(owned)["f:ports"]}}), body, MANAGER)


def test_sets_are_owned_by_value() -> None:
    body = {"metadata": {"finalizers": ["a", "b"]}}
    assert owns_all(live({"f:metadata": {"f:finalizers": {'v:"a"': {}, 'v:"b"': {}}}}), body, MANAGER)
    assert not owns_all(live({"f:metadata": {"f:finalizers": {'v:"a"': {}}}}), body, MANAGER)


def test_what_others_add_is_not_ours() -> None:
    owned = fields()
    assert owns_all(live(owned) | {"spec": {"replicas": 2, "paused": True}}, BODY, MANAGER)


@pytest.mark.parametrize(
    "entry", [{"manager": "kubectl"}, {"operation": "Update"}, {"subresource": "scale"}], ids=str
)
def test_only_our_own_apply_counts(entry: dict[str, str]) -> None:
    assert not owns_all(live(fields(), **entry), BODY, MANAGER)


def test_records_stripped_by_somebody() -> None:
    assert not owns_all({"metadata": {"name": "a"}}, BODY, MANAGER)
