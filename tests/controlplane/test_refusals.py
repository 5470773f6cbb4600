"""What the API server refuses by itself. No operator runs in this module."""

from typing import Any

import httpx
import pytest

from hack.controlplane.api import Api

EXTERNAL = {"host": "redis.example", "credentialsSecretRef": {"name": "redis"}}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("both branches", {"redis": {"mode": "Builtin", "external": EXTERNAL}}, "spec.redis"),
    ("external without an address", {"redis": {"mode": "External"}}, "spec.redis.external"),
    ("an unknown profile", {"profile": "test"}, "spec.profile"),
    ("a negative number", {"services": {"otp-service": {"replicas": -1}}}, "otp-service.replicas"),
    ("a size that is none", {"postgres": {"storage": {"size": "10 apples"}}}, "postgres.storage.size"),
    ("demo in production", {"profile": "production", "demo": {"enabled": True}}, "spec"),
]
CHANGES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("mode", {}, {"redis": {"mode": "External", "external": EXTERNAL}}, "redis.mode cannot change"),
    (
        "smaller storage",
        {"postgres": {"storage": {"size": "10Gi"}}},
        {"postgres": {"storage": {"size": "9Gi"}}},
        "can only grow",
    ),
    (
        "class of storage",
        {"postgres": {"storage": {"className": "a"}}},
        {"postgres": {"storage": {"className": "b"}}},
        "className cannot change",
    ),
    ("brokers", {"kafka": {"brokers": 1}}, {"kafka": {"brokers": 3}}, "number of brokers cannot change"),
]


@pytest.fixture(scope="module")
def namespace(api: Api) -> str:
    """A namespace of this module."""
    api.namespace("refusals")
    return "refusals"


@pytest.mark.parametrize(("spec", "field"), [item[1:] for item in WRONG], ids=[item[0] for item in WRONG])
def test_03_a_wrong_spec_is_refused_with_the_operator_down(
    api: Api, namespace: str, spec: dict[str, Any], field: str
) -> None:
    with pytest.raises(httpx.HTTPStatusError) as raised:
        api.declare(namespace, name="wrong", **spec)
    assert raised.value.response.status_code == 422
    assert field in str(raised.value)
    assert api.get("PaymentPlatform", namespace, "wrong") is None


@pytest.mark.parametrize(
    ("before", "after", "message"), [item[1:] for item in CHANGES], ids=[item[0] for item in CHANGES]
)
def test_03_what_is_fixed_cannot_change_with_the_operator_down(
    api: Api, namespace: str, before: dict[str, Any], after: dict[str, Any], message: str
) -> None:
    api.declare(namespace, name="fixed", **before)
    try:
        with pytest.raises(httpx.HTTPStatusError) as raised:
            api.declare(namespace, name="fixed", **after)
        assert raised.value.response.status_code == 422
        assert message in str(raised.value)
    finally:
        api.delete("PaymentPlatform", namespace, "fixed")
