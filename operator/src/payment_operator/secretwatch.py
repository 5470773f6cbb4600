"""Watches Secrets by name, one stream for each, so that the operator needs no right to see any other.

Kopf would have to watch all Secrets of the cluster. These streams carry metadata only; what is in a Secret is
read at the reconcile.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import aiohttp
from kubernetes.client import Configuration

logger = logging.getLogger(__name__)

METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
SERVER_SECONDS, CLIENT_SECONDS, PAUSE_SECONDS = 300, 310, 5.0
#: The API server sends a bookmark about once a minute; a stream that is silent for longer is dead.
SILENCE_SECONDS = 70.0
LINE_LIMIT = 4 * 2**20


class SecretWatch:
    """``changed(namespace, name, version)`` is called for every Secret of these names that appears, changes
    or goes ("")."""

    def __init__(
        self,
        configuration: Configuration,
        names: Iterable[str],
        namespaces: Iterable[str],
        changed: Callable[[str, str, str], None],
    ) -> None:
        self._configuration = configuration
        self._names = tuple(names)
        self._namespaces = tuple(namespaces)
        self._changed = changed
        self._seen: dict[tuple[str, str], str] = {}

    async def run(self) -> None:
        """Forever; a stream that breaks is opened again."""
        timeout = aiohttp.ClientTimeout(total=CLIENT_SECONDS, connect=10, sock_read=SILENCE_SECONDS)
        connector = aiohttp.TCPConnector(ssl=_tls(self._configuration), limit=0)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, read_bufsize=LINE_LIMIT
        ) as session:
            places = [f"/namespaces/{name}" for name in self._namespaces] or [""]
            streams = (self._follow(session, place, name) for place in places for name in self._names)
            await asyncio.gather(*streams)

    async def _follow(self, session: aiohttp.ClientSession, place: str, name: str) -> None:
        url = f"{self._configuration.host}/api/v1{place}/secrets"
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "fieldSelector": f"metadata.name={name}",
            "timeoutSeconds": str(SERVER_SECONDS),
        }
        while True:
            try:
                async with session.get(url, params=query, headers=self._headers()) as answer:
                    answer.raise_for_status()
                    async for line in answer.content:
                        self.note(json.loads(line))
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                logger.info("watch of Secret %s ended: %s", name, error)
            await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))

    def note(self, event: dict[str, Any]) -> None:
        """One event of a stream; a Secret that is as it was is no change."""
        metadata = event["object"].get("metadata", {})
        if event["type"] not in ("ADDED", "MODIFIED", "DELETED"):
            return
        key = metadata["namespace"], metadata["name"]
        version = "" if event["type"] == "DELETED" else metadata["resourceVersion"]
        if self._seen.get(key) != version:
            self._seen[key] = version
            self._changed(*key, version)

    def _headers(self) -> dict[str, str]:
        """Asked for at each connection: the client renews the pod's token when it gets old."""
        token = self._configuration.get_api_key_with_prefix("BearerToken", "authorization")
        return {"Accept": METADATA_ONLY} | ({"Authorization": token} if token else {})


def _tls(configuration: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context
