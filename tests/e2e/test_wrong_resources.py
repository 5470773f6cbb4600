"""Wrong resources are refused by the API server itself, at once, with the field, the operator being down."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from hack.kubectl import Cluster
from hack.up import NAMESPACE, OPERATOR_NAMESPACE

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"profile": "test"}, "spec.profile"),
    ({"profile": "dev", "services": {"otp-service": {"replicas": -1}}}, "spec.services.otp-service.replicas"),
    (
        {"profile": "dev", "redis": {"mode": "Builtin", "external": {"host": "redis.example"}}},
        "spec.redis",
    ),
    ({"profile": "dev", "postgres": {"storage": {"size": "10 apples"}}}, "spec.postgres.storage.size"),
    ({"profile": "dev", "services": {"mail-service": {"replicas": 1}}}, "mail-service"),
    ({"profile": "production", "demo": {"enabled": True}}, "spec"),
    ({"profile": "production", "webhooks": {"allowPrivateAddresses": True}}, "spec"),
]


@pytest.fixture(scope="module")
def operator_down(cluster: Cluster) -> Iterator[None]:
    """The operator scaled to nothing, and back."""
    scale = ["-n", OPERATOR_NAMESPACE, "scale", "deployment", "payment-operator"]
    cluster.kubectl(*scale, "--replicas=0")
    cluster.kubectl(
        *("-n", OPERATOR_NAMESPACE, "wait", "pod", "--for=delete", "--timeout=60s"),
        *("-l", "app.kubernetes.io/name=payment-operator"),
    )
    yield
    cluster.kubectl(*scale, "--replicas=1")
    cluster.kubectl(
        "-n", OPERATOR_NAMESPACE, "rollout", "status", "deployment/payment-operator", "--timeout=120s"
    )


@pytest.mark.usefixtures("operator_down")
@pytest.mark.parametrize(("spec", "field"), WRONG, ids=[field for _, field in WRONG])
def test_a_wrong_resource_is_refused(cluster: Cluster, spec: dict[str, Any], field: str) -> None:
    document = {
        "apiVersion": "paymentplatform.dev/v1alpha1",
        "kind": "PaymentPlatform",
        "metadata": {"name": "wrong", "namespace": NAMESPACE},
        "spec": spec,
    }
    with pytest.raises(subprocess.CalledProcessError) as raised:
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(document), timeout=20)
    assert field in raised.value.stderr
    assert not cluster.exists("-n", NAMESPACE, "paymentplatform", "wrong")
