"""Values of the three profiles as a user would give them."""

from typing import Any

PRODUCTION: dict[str, Any] = {
    "profile": "production",
    "loadBalancer": {
        "ingress": {"className": "nginx", "host": "pay.example.com", "tlsSecretName": "pay-example-com"}
    },
    "security": {"cors": {"allowedOrigins": ["https://shop.example.com"]}},
    "notifications": {
        "sms": {"provider": "twilio", "credentialsSecretRef": {"name": "twilio"}},
        "email": {"provider": "sendgrid", "credentialsSecretRef": {"name": "sendgrid"}},
        "push": {"provider": "fcm", "credentialsSecretRef": {"name": "fcm"}},
    },
}
PROFILES: dict[str, dict[str, Any]] = {
    "dev": {"profile": "dev"},
    "staging": {"profile": "staging"},
    "production": PRODUCTION,
}
EXTERNAL: dict[str, Any] = {
    "profile": "staging",
    "postgres": {
        "mode": "External",
        "external": {"host": "db-rw.databases", "port": 5433, "superuserSecretRef": {"name": "db-superuser"}},
    },
    "redis": {
        "mode": "External",
        "external": {"host": "redis.caches", "credentialsSecretRef": {"name": "redis-login"}},
    },
    "kafka": {"mode": "External", "external": {"bootstrapServers": "b-0.kafka:9094,b-1.kafka:9094"}},
}

# Everything that watches, builtin.
STACK: dict[str, Any] = {
    "observability": {
        "collector": {"enabled": True},
        "jaeger": {"enabled": True, "nodePort": 30686},
        "prometheus": {"enabled": True, "nodePort": 30909},
        "grafana": {"enabled": True, "nodePort": 30300},
        "search": {"enabled": True, "dashboards": {"enabled": True, "nodePort": 30561}},
        "influxdb": {"enabled": True},
    }
}
WATCHED: dict[str, Any] = {"profile": "dev", **STACK}


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` put over `base` at every depth; neither is changed."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
