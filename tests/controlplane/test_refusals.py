"""What the API server refuses by itself. No operator runs in this module."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hack.controlplane.api import Api

EXTERNAL = {"host": "redis.example", "credentialsSecretRef": {"name": "redis"}}
BROKERS = {"bootstrapServers": "kafka.example:9093"}
KAFKA: dict[str, Any] = {"mode": "External"}
MOMENT = "2026-11-23T14:05:00Z"
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("both branches", {"redis": {"mode": "Builtin", "external": EXTERNAL}}, "spec.redis"),
    ("external without an address", {"redis": {"mode": "External"}}, "spec.redis.external"),
    ("an unknown profile", {"profile": "test"}, "spec.profile"),
    ("a negative number", {"services": {"otp-service": {"replicas": -1}}}, "otp-service.replicas"),
    ("a size that is none", {"postgres": {"storage": {"size": "10 apples"}}}, "postgres.storage.size"),
    (
        "a password without TLS",
        {
            "kafka": KAFKA
            | {"external": BROKERS | {"mechanism": "PLAIN", "credentialsSecretRef": {"name": "a"}}}
        },
        "PLAIN sends the password itself",
    ),
    (
        "an authority without TLS",
        {"kafka": KAFKA | {"external": BROKERS | {"tls": {"caSecretRef": {"name": "a"}}}}},
        "set tls.enabled to true",
    ),
    (
        "a user without a login",
        {"kafka": KAFKA | {"external": BROKERS | {"username": "shop"}}},
        "username is of the login",
    ),
    (
        "bounds of CPU that cross",
        {"resourceAdvice": {"minAllowed": {"cpu": 1}, "maxAllowed": {"cpu": "900m"}}},
        "minAllowed.cpu must not be above",
    ),
    (
        "bounds of memory that cross",
        {"resourceAdvice": {"minAllowed": {"memory": "1Gi"}, "maxAllowed": {"memory": "1000Mi"}}},
        "minAllowed.memory must not be above",
    ),
    (
        "credentials for no collector",
        {"observability": {"tracing": {"credentialsSecretRef": {"name": "a"}}}},
        "set endpoint or remove it",
    ),
    ("an archive without backups", {"backup": {"pointInTime": {"enabled": True}}}, "spec.backup"),
    ("a backup and a moment", {"restoreFrom": {"name": "a", "targetTime": MOMENT}}, "spec.restoreFrom"),
    ("neither of them", {"restoreFrom": {"volume": {"claimName": "a"}}}, "spec.restoreFrom"),
    ("a moment without a zone", {"restoreFrom": {"targetTime": MOMENT[:-1]}}, "restoreFrom.targetTime"),
    (
        "a level of no logs",
        {"services": {"kyc-service": {"logLevel": "LOUD"}}},
        "kyc-service.logLevel",
    ),
    ("a level of nginx", {"services": {"load-balancer": {"logLevel": "INFO"}}}, "nginx"),
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


@pytest.fixture(scope="module")
def took(figures: dict[str, list[str]]) -> Iterator[dict[str, list[float]]]:
    """Seconds of each answer, by test; the slowest is the figure."""
    took: dict[str, list[float]] = {}
    yield took
    for test, seconds in took.items():
        slowest = round(1000 * max(seconds))
        figures[test] = [f"{len(seconds)} refused, the field named; the slowest after {slowest} ms"]


def refusal(api: Api, namespace: str, name: str, spec: dict[str, Any], seconds: list[float]) -> str:
    """What the API server says to that spec, and after how long."""
    began = time.monotonic()
    with pytest.raises(httpx.HTTPStatusError) as raised:
        api.declare(namespace, name=name, **spec)
    seconds.append(time.monotonic() - began)
    assert raised.value.response.status_code == 422
    return str(raised.value)


@pytest.mark.parametrize(("spec", "field"), [item[1:] for item in WRONG], ids=[item[0] for item in WRONG])
def test_03_a_wrong_spec_is_refused_with_the_operator_down(
    request: pytest.FixtureRequest,
    api: Api,
    namespace: str,
    took: dict[str, list[float]],
    spec: dict[str, Any],
    field: str,
) -> None:
    seconds = took.setdefault(request.node.originalname, [])
    assert field in refusal(api, namespace, "wrong", spec, seconds)
    assert api.get("PaymentPlatform", namespace, "wrong") is None


def test_logins_and_bounds_that_fit_are_taken(api: Api, namespace: str) -> None:
    login = {"tls": {"enabled": True}, "mechanism": "PLAIN", "credentialsSecretRef": {"name": "a"}}
    bounds = {"minAllowed": {"cpu": "900m", "memory": "1000Mi"}, "maxAllowed": {"cpu": 1, "memory": "1Gi"}}
    api.declare(namespace, name="right", kafka=KAFKA | {"external": BROKERS | login}, resourceAdvice=bounds)
    api.delete("PaymentPlatform", namespace, "right")


@pytest.mark.parametrize(
    ("before", "after", "message"), [item[1:] for item in CHANGES], ids=[item[0] for item in CHANGES]
)
def test_03_what_is_fixed_cannot_change_with_the_operator_down(
    request: pytest.FixtureRequest,
    api: Api,
    namespace: str,
    took: dict[str, list[float]],
    before: dict[str, Any],
    after: dict[str, Any],
    message: str,
) -> None:
    seconds = took.setdefault(request.node.originalname, [])
    api.declare(namespace, name="fixed", **before)
    try:
        assert message in refusal(api, namespace, "fixed", after, seconds)
    finally:
        api.delete("PaymentPlatform", namespace, "fixed")
