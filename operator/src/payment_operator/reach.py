"""Whether an external dependency answers on its port."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from payment_operator.spec import PaymentPlatformSpec
from payment_operator.spec_observability import PARTS

TIMEOUT = 3.0
Address = tuple[str, int]


def external_addresses(spec: PaymentPlatformSpec) -> dict[str, list[Address]]:
    """Addresses of the dependencies with mode External, by name."""
    addresses: dict[str, list[Address]] = {}
    if spec.postgres and spec.postgres.external:
        addresses["postgres"] = [(spec.postgres.external.host, spec.postgres.external.port or 5432)]
    if spec.redis and spec.redis.external:
        addresses["redis"] = [(spec.redis.external.host, spec.redis.external.port or 6379)]
    if spec.kafka and spec.kafka.external:
        servers = spec.kafka.external.bootstrap_servers.split(",")
        addresses["kafka"] = [
            (host, int(port)) for host, _, port in (item.rpartition(":") for item in servers)
        ]
    return addresses


def external_parts(spec: PaymentPlatformSpec) -> dict[str, list[Address]]:
    """Addresses of the enabled parts of the observability stack with mode External, by name."""
    stack = spec.observability
    addresses: dict[str, list[Address]] = {}
    for name in PARTS if stack else ():
        part = getattr(stack, name)
        if part is None or not part.enabled or part.mode != "External":
            continue
        where = getattr(part, "external", None)
        url = where.url if where else None
        if name == "collector" and stack and stack.tracing:
            url = stack.tracing.endpoint
        if url:
            found = urlsplit(url)
            addresses[name] = [(found.hostname or "", found.port or (443 if found.scheme == "https" else 80))]
    return addresses


def unreachable(addresses: Sequence[Address], timeout: float = TIMEOUT) -> str | None:
    """None when one of the addresses takes a TCP connection, else why not."""
    failures = []
    for host, port in addresses:
        try:
            with socket.create_connection((host, port), timeout=timeout):
                return None
        except OSError as error:
            failures.append(f"{host}:{port} does not answer ({error})")
    return "; ".join(failures)
