"""Secrets and account numbers go through every flow, and are then looked for wherever they must not be."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from joserfc.jwk import RSAKey

from hack.dev.catalog import environment
from hack.dev.processes import wait_for
from hack.dev.stack import Stack
from payments.contracts.event import TOPICS
from tests.integration.gateway.conftest import Gateways, free_port
from tests.support.canaries import Database, Flows, leaks
from tests.support.internal_calls import eventually

# These run again beside the stack's own, with everything in their logs that they can write.
TALKATIVE = ("account-service", "otp-service", "confirm-service")


@pytest.fixture(scope="module")
async def url(running: Stack, gateways: Gateways) -> str:
    """A gateway, and services behind it, that log at DEBUG."""
    ports = dict(running.ports)
    for name in TALKATIVE:
        ports[name] = free_port()
        values = environment(running.services[name], running.identity, running.servers, ports)
        process = f"{name}-{ports[name]}"
        gateways.processes.start(process, values | {"LOG_LEVEL": "DEBUG"})
        ready = f"http://127.0.0.1:{ports[name]}/ready"
        await asyncio.to_thread(wait_for, ready, seconds=120, alive=gateways.processes)
    gateway = await gateways.start(
        LOG_LEVEL="DEBUG",
        CONFIRM_SERVICE_URL=f"http://127.0.0.1:{ports['confirm-service']}",
        ACCOUNT_SERVICE_URL=f"http://127.0.0.1:{ports['account-service']}",
        AUDIT_SERVICE_URL=running.url("audit-service"),
    )
    return gateway.url


@pytest.fixture
async def api(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that gateway."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield client


async def kafka(servers: str) -> dict[str, str]:
    """All there is on all topics."""
    consumer = AIOKafkaConsumer(
        *TOPICS, bootstrap_servers=servers, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        texts: dict[str, str] = dict.fromkeys(TOPICS, "")
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                texts[partition.topic] += "\n".join(
                    f"{record.key!r} {(record.value or b'').decode()} {record.headers!r}"
                    for record in records
                )
        return texts
    finally:
        await consumer.stop()


async def tables(database: Database) -> dict[str, str]:
    """Outboxes, the audit trail and deliveries."""
    rows = await database.fetch(
        "SELECT table_schema AS schema, table_name AS name FROM information_schema.tables WHERE table_type ="
        " 'BASE TABLE' AND (table_name IN ('outbox', 'deliveries') OR table_schema = 'audit')"
    )
    texts = {}
    for row in rows:
        place = f"{row['schema']}.{row['name']}"
        found = await database.fetch(
            f'SELECT to_jsonb(t)::text AS row FROM "{row["schema"]}"."{row["name"]}" t'
        )
        texts[place] = "\n".join(item["row"] for item in found)
    return texts


async def test_secrets_and_account_numbers_stay_where_they_belong(
    api: httpx.AsyncClient, running: Stack, gateways: Gateways, database: Database, log_folder: Path
) -> None:
    flows = Flows(api, database, inside=[running.url(name) for name in TALKATIVE])
    await flows.set_up()
    await flows.sessions()
    await flows.payments()
    private = json.loads((running.identity.root / "encryption/private.jwks.json").read_text())["keys"][0]
    await flows.encrypted(RSAKey.import_key(private))
    await flows.forged()

    async def drained() -> bool:
        return not await database.fetchval(
            "SELECT EXISTS (SELECT FROM gateway.outbox WHERE published_at IS NULL)"
            " OR EXISTS (SELECT FROM payments.outbox WHERE published_at IS NULL)"
            " OR EXISTS (SELECT FROM accounts.outbox WHERE published_at IS NULL)"
            " OR EXISTS (SELECT FROM otp.outbox WHERE published_at IS NULL)"
        )

    await eventually("all events are sent", drained, seconds=30)
    logs = {
        f"log {path.name}": path.read_text(errors="replace")
        for folder in (log_folder, gateways.log_folder)
        for path in folder.glob("*.log")
    }
    assert {name.removesuffix(".log").removeprefix("log ") for name in logs} >= set(running.services)
    texts = logs | await kafka("{}:{}".format(*running.servers.kafka)) | await tables(database)
    looked = sum(len(text) for text in texts.values())
    assert flows.customer in texts["payment-events"] and flows.customer in texts["gateway.outbox"]
    assert any('"path":"/v1/accounts/{number}"' in text for text in logs.values()), (
        "nothing was logged at all"
    )
    found = leaks(flows, texts)
    canaries = len(flows.hidden) + len(flows.codes)
    print(f"{canaries} canaries, {len(texts)} places, {looked} characters: {found}")  # noqa: T201
    assert found == []
