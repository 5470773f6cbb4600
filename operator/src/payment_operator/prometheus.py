"""Instant queries of a Prometheus (https://prometheus.io/docs/prometheus/latest/querying/api)."""

from __future__ import annotations

import json
import math
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError

from payment_operator.load import Sample
from payment_operator.spec import PaymentPlatformSpec

#: Seconds for one query: a Prometheus that hangs must not keep a worker from other platforms.
TIMEOUT = 3.0
PORT = 9090


class NoMetrics(Exception):
    """Prometheus did not answer, or not as documented; the text says which."""


class Prometheus:
    """Thread-safe."""

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(total=TIMEOUT), retries=False, maxsize=4, num_pools=20
        )

    def ask(self, url: str, query: str, authorization: str = "") -> list[Sample]:
        """The vector that a query answers; series without a number are left out. Raises NoMetrics.

        Args:
            authorization: the header of that name; empty: none.
        """
        headers = {"Authorization": authorization} if authorization else None
        try:
            answer = self._pool.request(
                "GET", f"{url.rstrip('/')}/api/v1/query?{urlencode({'query': query})}", headers=headers
            )
            if answer.status != 200:
                raise NoMetrics(f"{url} answered {answer.status}")
            result = json.loads(answer.data)["data"]["result"]
            samples = [Sample(item["metric"], float(item["value"][1])) for item in result]
        except (HTTPError, OSError) as error:
            raise NoMetrics(f"{url} does not answer: {error}") from error
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise NoMetrics(f"{url} answered what is no vector: {error!r}") from error
        return [item for item in samples if math.isfinite(item.value)]


def secret_of(spec: PaymentPlatformSpec) -> str:
    """The Secret with what an external Prometheus asks for; "" without one."""
    part = spec.observability.prometheus if spec.observability else None
    outside = part.external if part and part.mode == "External" else None
    return outside.credentials_secret_ref.name if outside and outside.credentials_secret_ref else ""


def address(spec: PaymentPlatformSpec, namespace: str) -> str | None:
    """Where the platform's Prometheus answers; None without one that is known."""
    part = spec.observability.prometheus if spec.observability else None
    if part is None or not part.enabled:
        return None
    if part.mode == "External":
        return part.external.url if part.external else None
    return f"http://prometheus.{namespace}.svc:{PORT}"
