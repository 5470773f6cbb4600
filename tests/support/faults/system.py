"""The whole platform as processes and containers of its own, every way that can fail through a proxy."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import AIOKafkaConsumer, TopicPartition

from hack.dev import containers
from hack.dev.catalog import Servers
from hack.dev.identity import POSTGRES_PASSWORD
from hack.dev.stack import Stack
from payments.gateway.passwords import hash_password
from tests.support.faults import zeros
from tests.support.faults.api import Told
from tests.support.faults.toxic import Toxic
from tests.support.faults.world import World

LEASE_SECONDS = 4
DATABASE = "payment_db"
DEPENDENCIES = ("postgres", "redis", "kafka")
TOPICS = ("payment-events", "notification-events")
_PORTS = {"postgres": 13432, "redis": 13379, "kafka": 13092}

# Shorter leases, no waits between passwords, room for statements that are held.
VARIABLES = {
    "RATE_LIMIT_REQUESTS": "100000000",
    "LEASE_SECONDS": str(LEASE_SECONDS),
    "CLEANING_SECONDS": "2",
    "DATABASE_POOL_MAX": "20",
    "OTP_RESEND_GAP_SECONDS": "0",
    "OTP_MAX_RESENDS": "20",
    "CLAIM_SECONDS": "3",
}


@dataclass
class Platform(World):
    """Stack, proxies and oracles."""

    stack: Stack
    prefix: str
    offset: int
    proxies: dict[str, Toxic]
    variables: dict[str, str]

    async def heal(self) -> None:
        """Every proxy passes, every dependency and service runs."""
        for proxy in self.proxies.values():
            if proxy.mode != "pass":
                await proxy.set("pass")
        for name in DEPENDENCIES:
            await asyncio.to_thread(containers.restart, self.prefix, name, offset=self.offset)
        await self.start([name for name in self.stack.services if name not in self.stack.processes.names()])

    async def start(self, services: list[str], **variables: str) -> None:
        """Start services that were killed; `variables` are for this start alone."""
        usual = dict(self.variables)
        self.variables.update(variables)
        try:
            await asyncio.to_thread(self.stack.start, services)
        finally:
            self.variables.clear()
            self.variables.update(usual)

    async def kill(self, service: str) -> None:
        """SIGKILL a service."""
        await asyncio.to_thread(self.stack.processes.kill, service)

    async def zeros(self) -> dict[str, float]:
        """Everything that must be nothing after healing. Raises AssertionError with what is there."""
        settled = await self.nothing_open()
        told = await self.everything_told()
        found = await self.violations({**zeros.MONEY, **zeros.EFFECTS})
        found |= await self.violations(zeros.OPEN)
        assert not found, found
        rows = await self.sql(zeros.EVENTS)
        events = {(row["event_id"], row["topic"]) for row in rows}
        in_kafka = {(event["id"], topic) for topic, event in await self.records()}
        missing = events - in_kafka
        assert not missing, f"{len(missing)} events are not in Kafka: {sorted(missing)[:10]}"
        assert not self.told.undocumented, self.told.undocumented[:10]
        return {"nothing_open_s": round(settled, 1), "told_s": round(told, 1), "events": len(events)}

    async def lag(self, group: str, topic: str) -> int:
        """Records of a topic that a consumer group has not committed, by Kafka's own offsets."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            partitions = [TopicPartition(topic, n) for n in range(3)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            return sum([ends[p] - (await consumer.committed(p) or 0) for p in partitions])
        finally:
            await consumer.stop()

    @property
    def _kafka(self) -> str:
        return f"127.0.0.1:{self.proxies['kafka'].port}"

    async def records(self) -> list[tuple[str, dict[str, Any]]]:
        """Every record of both topics from the first one to the end of this moment."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._kafka, enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = [TopicPartition(topic, n) for topic in TOPICS for n in range(3)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            found: list[tuple[str, dict[str, Any]]] = []
            while any([await consumer.position(p) < ends[p] for p in partitions]):
                for partition, batch in (await consumer.getmany(timeout_ms=1000)).items():
                    found += [(partition.topic, json.loads(record.value)) for record in batch]
            return found
        finally:
            await consumer.stop()


@asynccontextmanager
async def platform(folder: Path, prefix: str, offset: int, rng: random.Random) -> AsyncIterator[Platform]:
    """Everything started; removed at the end."""
    targets = {name: ("127.0.0.1", port + offset) for name, port in _PORTS.items()}
    proxies = {name: Toxic(target, rng) for name, target in targets.items()}
    for proxy in proxies.values():
        await proxy.open()
    containers.stop(prefix)
    stack: Stack | None = None
    try:
        await asyncio.to_thread(
            containers.start, prefix, offset=offset, kafka_advertised=proxies["kafka"].port
        )
        addresses = {name: ("127.0.0.1", proxy.port) for name, proxy in proxies.items()}
        servers = Servers(addresses["postgres"], addresses["redis"], addresses["kafka"], DATABASE)
        variables = dict(VARIABLES)
        stack = Stack(
            folder / "identity", servers, offset=offset, log_folder=folder / "logs", variables=variables
        )
        bank = Toxic(("127.0.0.1", stack.ports["partner-bank-api"]), rng)
        await bank.open()
        proxies["bank"] = bank
        # Read by the services at their start: who calls the bank does so through the proxy.
        variables["PARTNER_BANK_API_URL"] = f"http://127.0.0.1:{bank.port}"
        await asyncio.to_thread(stack.prepare)
        await asyncio.to_thread(stack.start)
        connector = aiohttp.TCPConnector(limit=400, force_close=False)
        async with aiohttp.ClientSession(connector=connector) as http:
            made = Platform(
                f"postgresql://postgres:{POSTGRES_PASSWORD}@127.0.0.1:{targets['postgres'][1]}/{DATABASE}",
                stack.url("api-gateway"),
                http,
                Told(),
                hash_password("password123"),
                stack,
                prefix,
                offset,
                proxies,
                variables,
            )
            yield made
    finally:
        if stack is not None:
            await asyncio.to_thread(stack.stop)
        for proxy in proxies.values():
            await proxy.close()
        containers.stop(prefix)
