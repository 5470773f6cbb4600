"""A last look before the bytes of a write leave.

A process that was stopped for long goes on where it was, which may be behind any check made before its
request was put together: so the connections themselves ask, before the headers and again before the body,
without which the API server does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubernetes.dynamic import DynamicClient
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

READS = frozenset({"GET", "HEAD"})


def guard(dynamic: DynamicClient, fence: Callable[[], None]) -> None:
    """Have ``fence`` called before each write is sent; it must not return when another operator may lead."""
    manager: PoolManager = dynamic.client.rest_client.pool_manager
    manager.pool_classes_by_scheme = pools(fence)
    manager.clear()


def pools(fence: Callable[[], None]) -> dict[str, type[HTTPConnectionPool]]:
    """Pools, by scheme, of connections that ask before each write."""

    class Asking(HTTPConnection):
        writes = False

        def request(self, method: str, url: str, *arguments: Any, **options: Any) -> None:
            self.writes = method.upper() not in READS
            super().request(method, url, *arguments, **options)

        def send(self, data: Any) -> None:
            if self.writes:
                fence()
            super().send(data)

    class Secure(Asking, HTTPSConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Asking

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": Pool, "https": SecurePool}
