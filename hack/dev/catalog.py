"""The chart's catalog of services, and the environment that each gets as a local process."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hack.dev.identity import NAMESPACE, REDIS_PASSWORD, Identity

REPOSITORY = Path(__file__).parents[2]
CATALOG = REPOSITORY / "charts/payment-platform/files/catalog.yaml"


@dataclass(frozen=True)
class Service:
    """One service of the catalog that runs from our own package."""

    name: str
    module: str
    port: int
    schema: str | None
    redis: bool
    kafka: bool
    calls: tuple[str, ...]


@dataclass(frozen=True)
class Servers:
    """Addresses of the dependencies: (host, port)."""

    postgres: tuple[str, int]
    redis: tuple[str, int]
    kafka: tuple[str, int]
    database: str = "payment_db"


def services(path: Path = CATALOG) -> dict[str, Service]:
    """The FastAPI services of the catalog by Deployment name."""
    catalog: Mapping[str, Mapping[str, Any]] = yaml.safe_load(path.read_text())["services"]
    return {
        name: Service(
            name=name,
            module=entry["module"],
            port=entry["port"],
            schema=entry.get("schema"),
            redis=bool(entry.get("redis")),
            kafka=bool(entry.get("kafka")),
            calls=tuple(entry.get("calls", ())),
        )
        for name, entry in catalog.items()
        if "module" in entry
    }


def peer_variable(service: str) -> str:
    """CONFIRM_SERVICE_URL for confirm-service."""
    return service.upper().replace("-", "_") + "_URL"


def environment(
    service: Service, identity: Identity, servers: Servers, ports: Mapping[str, int]
) -> dict[str, str]:
    """What the chart would set, for a process on this machine.

    Args:
        ports: port of each service on the loopback.
    """
    callers = [other.name for other in services().values() if service.name in other.calls]
    variables = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(REPOSITORY / "services/src"),
        "PYTHONUNBUFFERED": "1",
        "SERVICE": service.name,
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(ports[service.name]),
        "PLATFORM_PROFILE": "dev",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "INFO"),
        "POD_NAME": f"{service.name}-local",
        "SHUTDOWN_DELAY_SECONDS": "0",
        "IDENTITY_ISSUER_FILE": str(identity.root / "issuer"),
        "IDENTITY_JWKS_FILE": str(identity.root / "jwks.json"),
        "IDENTITY_TOKEN_FILE": str(identity.token_file(service.name)),
        "IDENTITY_NAMESPACE": NAMESPACE,
        "ALLOWED_CALLERS": ",".join(callers),
        "GATEWAY_JWKS_FILE": str(identity.root / "gateway-jwks.json"),
        "KAFKA_BOOTSTRAP_SERVERS": "{}:{}".format(*servers.kafka),
        "RATE_LIMIT_REQUESTS": os.environ.get("RATE_LIMIT_REQUESTS", "100"),
        "RATE_LIMIT_WINDOW_SECONDS": "900",
        "CORS_ALLOWED_ORIGINS": "http://localhost:3000",
        "SIGNING_KEYS_FILE": str(identity.root / "signing/private.jwks.json"),
        "ENCRYPTION_KEYS_FILE": str(identity.root / "encryption/private.jwks.json"),
        "LOAD_BALANCER_TOKEN": identity.load_balancer_token,
        "OTP_HMAC_KEY": identity.otp_hmac_key,
        "SMS_PROVIDER": "sandbox",
        "EMAIL_PROVIDER": "sandbox",
        "PUSH_PROVIDER": "sandbox",
        "WEBHOOKS_ALLOW_PRIVATE": "true",
    }
    variables |= {peer_variable(name): f"http://127.0.0.1:{ports[name]}" for name in service.calls}
    if service.schema:
        variables |= {
            "DATABASE_HOST": servers.postgres[0],
            "DATABASE_PORT": str(servers.postgres[1]),
            "DATABASE_NAME": servers.database,
            "DATABASE_USER": service.schema,
            "DATABASE_PASSWORD": f"dev-{service.schema}",
        }
    if service.redis:
        variables |= {
            "REDIS_HOST": servers.redis[0],
            "REDIS_PORT": str(servers.redis[1]),
            "REDIS_PASSWORD": REDIS_PASSWORD,
        }
    return variables


def python() -> str:
    """The interpreter that has the services' dependencies."""
    return sys.executable
