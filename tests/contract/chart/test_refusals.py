"""Values that cannot work are refused with the field and the remedy, before anything is written."""

from typing import Any

import pytest

from tests.contract.chart.helm import Refused, environment, named, pods, render, template
from tests.contract.chart.samples import EXTERNAL, PRODUCTION, merged

DEV: dict[str, Any] = {"profile": "dev"}
# What is wrong -> words of the message: the field, and the remedy.
CASES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "unknown service": (
        DEV | {"services": {"billing": {}}},
        ("services.billing", "use one of", "kyc-service"),
    ),
    "unknown profile": ({"profile": "test"}, ("profile", "dev, staging or production")),
    "demo in production": (
        merged(PRODUCTION, {"demo": {"enabled": True}}),
        ("demo.enabled", "must be false"),
    ),
    "private webhooks in production": (
        merged(PRODUCTION, {"webhooks": {"allowPrivateAddresses": True}}),
        ("webhooks.allowPrivateAddresses", "must be false", "remove it"),
    ),
    "sandbox in production": (
        merged(PRODUCTION, {"notifications": {"sms": {"provider": "sandbox"}}}),
        ("notifications.sms.provider", "twilio"),
    ),
    "provider without credentials": (
        DEV | {"notifications": {"email": {"provider": "sendgrid"}}},
        ("notifications.email.credentialsSecretRef.name", "name the Secret"),
    ),
    "a level of nginx": (
        DEV | {"services": {"load-balancer": {"logLevel": "DEBUG"}}},
        ("services.load-balancer.logLevel", "remove it"),
    ),
    "external database without a host": (
        DEV | {"postgres": {"mode": "External", "external": {"superuserSecretRef": {"name": "x"}}}},
        ("postgres.external.host", "name the server"),
    ),
    "external database without a Secret": (
        DEV | {"postgres": {"mode": "External", "external": {"host": "db"}}},
        ("postgres.external.superuserSecretRef.name", "keys username and password"),
    ),
    "external Redis without a host": (DEV | {"redis": {"mode": "External"}}, ("redis.external.host",)),
    "external Redis without a Secret": (
        DEV | {"redis": {"mode": "External", "external": {"host": "redis"}}},
        ("redis.external.credentialsSecretRef.name", "key password"),
    ),
    "external Kafka without servers": (
        DEV | {"kafka": {"mode": "External"}},
        ("kafka.external.bootstrapServers", "host:port"),
    ),
    "unknown mode": (DEV | {"redis": {"mode": "Cluster"}}, ("redis.mode", "Builtin or External")),
    "two brokers": (DEV | {"kafka": {"brokers": 2}}, ("kafka.brokers", "1 or 3")),
    "too few connections": (
        DEV | {"postgres": {"maxConnections": 60}},
        ("postgres.maxConnections", "set at least 107", "confirm-service 2 x 8"),
    ),
    "too many replicas for the connections": (
        DEV | {"services": {"confirm-service": {"replicas": 40}}},
        ("postgres.maxConnections", "confirm-service 41 x 8"),
    ),
    "autoscaling beyond the connections": (
        merged(PRODUCTION, {"services": {"account-service": {"autoscaling": {"maxReplicas": 60}}}}),
        ("postgres.maxConnections", "account-service 61 x 8"),
    ),
    "a pool beyond the connections": (
        DEV | {"services": {"kyc-service": {"env": [{"name": "DATABASE_POOL_MAX", "value": "100"}]}}},
        ("postgres.maxConnections", "kyc-service 2 x 100"),
    ),
    "autoscaling upside down": (
        DEV
        | {
            "services": {
                "kyc-service": {"autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 2}}
            }
        },
        ("services.kyc-service.autoscaling.maxReplicas", "at least minReplicas (3)"),
    ),
    "Ingress without a host": (
        DEV | {"loadBalancer": {"ingress": {"className": "nginx"}}},
        ("loadBalancer.ingress.host",),
    ),
    "Ingress without TLS in production": (
        merged(PRODUCTION, {"loadBalancer": {"ingress": {"tlsSecretName": ""}}}),
        ("loadBalancer.ingress.tlsSecretName", "kubernetes.io/tls"),
    ),
    "open port without TLS in production": (
        PRODUCTION | {"loadBalancer": {"type": "LoadBalancer"}},
        ("loadBalancer.ingress.tlsSecretName", "LoadBalancer"),
    ),
    "second way in beside the Ingress": (
        merged(PRODUCTION, {"loadBalancer": {"type": "NodePort"}}),
        ("loadBalancer.type", "use ClusterIP"),
    ),
    "node port without its type": (
        DEV | {"loadBalancer": {"nodePort": 30080}},
        ("loadBalancer.nodePort", "NodePort"),
    ),
    "unknown type": (DEV | {"loadBalancer": {"type": "External"}}, ("loadBalancer.type",)),
    "any origin": (
        DEV | {"security": {"cors": {"allowedOrigins": ["*"]}}},
        ("security.cors.allowedOrigins", "name each origin"),
    ),
    "plain origin in production": (
        merged(PRODUCTION, {"security": {"cors": {"allowedOrigins": ["http://shop.example.com"]}}}),
        ("security.cors.allowedOrigins", "https://"),
    ),
    "an archive without backups": (
        DEV | {"backup": {"pointInTime": {"enabled": True}}},
        ("backup.pointInTime.enabled", "set backup.enabled"),
    ),
    "an archive of somebody else's database": (
        EXTERNAL | {"backup": {"pointInTime": {"enabled": True}}},
        ("backup.pointInTime.enabled", "remove it"),
    ),
    "a backup and a moment": (
        DEV
        | {"restoreFrom": {"name": "latest", "targetTime": "2026-11-23T14:05:00Z"}}
        | {"operator": {"managed": True}},
        ("restoreFrom.targetTime", "name a backup or a moment"),
    ),
    "window that is no duration": (
        DEV | {"security": {"rateLimit": {"window": "15 minutes"}}},
        ("security.rateLimit.window", "15m"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_by_the_chart(case: str) -> None:
    values, words = CASES[case]
    # The schema, generated from the operator's spec, would refuse some of these first.
    with pytest.raises(Refused) as refusal:
        template(values, "--skip-schema-validation")
    message = str(refusal.value)
    assert [word for word in words if word not in message] == [], message


@pytest.mark.parametrize(
    "values",
    [
        DEV | {"nonsense": 1},
        DEV | {"services": {"billing": {}}},
        DEV | {"postgres": {"max_connections": 100}},
    ],
)
def test_unknown_keys_are_refused_by_the_schema(values: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="additional properties"):
        template(values)


@pytest.mark.parametrize("replicas", [1, 5])
def test_the_budget_is_exact(replicas: int) -> None:
    """Oracle: the pools as rendered, times pods as rendered and one more, against the server's setting."""
    values = DEV | {"services": {"confirm-service": {"replicas": replicas}}}
    objects = render(values)
    needed = 0
    for name, item in named(objects, "Deployment").items():
        pool = environment(dict(pods(objects))[name]).get("DATABASE_POOL_MAX", 0)
        needed += int(pool) * (item["spec"]["replicas"] + 1)
    reserve = 15
    fits, short = ({"postgres": {"maxConnections": needed + reserve - less}} for less in (0, 1))
    limit = environment(dict(pods(render(values | fits)))["postgres"])["MAX_CONNECTIONS"]
    assert int(limit) == needed + reserve
    with pytest.raises(Refused, match=f"set at least {needed + reserve}"):
        template(values | short)


def test_an_external_database_has_a_budget_of_its_own() -> None:
    values = merged(EXTERNAL, {"services": {"confirm-service": {"replicas": 90}}})
    assert named(render(values), "Deployment")["confirm-service"]["spec"]["replicas"] == 90
