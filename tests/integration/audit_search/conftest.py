"""Replicas of audit-service that copy the trail into a real OpenSearch and a real InfluxDB."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from hack.dev.stack import Stack
from hack.dev.stores import Stores
from tests.integration.audit_search.payers import Payers
from tests.integration.audit_search.points import Points
from tests.integration.audit_search.replicas import Replicas
from tests.integration.audit_search.search import Search
from tests.integration.conftest import PORT_OFFSET, PREFIX
from tests.support.internal_calls import Pool


@pytest.fixture(scope="session")
def stores() -> Iterator[Stores]:
    """Both engines, running; they start at the same time."""
    stores = Stores(PREFIX, PORT_OFFSET)
    stores.start()
    try:
        stores.wait("influxdb")
        stores.set_up_influxdb()
        stores.wait("search")
        yield stores
    finally:
        stores.stop()


@pytest.fixture(scope="session")
async def search(stores: Stores) -> AsyncIterator[Search]:
    """The oracle's way into the index."""
    async with httpx.AsyncClient(base_url=stores.url("search"), timeout=30) as http:
        yield Search(http)


@pytest.fixture(scope="session")
async def points(stores: Stores) -> AsyncIterator[Points]:
    """The oracle's way into the bucket."""
    async with httpx.AsyncClient(base_url=stores.url("influxdb"), timeout=30) as http:
        yield Points(http)


@pytest.fixture(scope="session")
async def replicas(running: Stack, stores: Stores, log_folder: Path) -> AsyncIterator[Replicas]:
    """Two more audit-services beside the stack's own, which copies nothing."""
    replicas = Replicas(running, stores, log_folder)
    await asyncio.to_thread(replicas.start, 2)
    yield replicas
    await asyncio.to_thread(replicas.processes.stop)


@pytest.fixture
async def payers(running: Stack, database: Pool) -> AsyncIterator[Payers]:
    """Customers who can pay."""
    url = running.url("confirm-service")
    async with httpx.AsyncClient(base_url=url, timeout=40) as http:
        payers = Payers(running, http)
        await payers.open(database, 6)
        yield payers
