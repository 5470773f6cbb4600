"""Whether an external dependency answers on its port."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from payment_operator.spec import PaymentPlatformSpec

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
