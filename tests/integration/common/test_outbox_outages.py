"""Kafka away: events wait in the outbox, keep their numbers and arrive when it is back."""

import asyncio
import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hack.dev import containers
from hack.dev.stack import Stack
from tests.integration.common.outbox import Outbox, check, write_in_parallel
from tests.integration.conftest import PORT_OFFSET

PREFIX = f"payments-test-outbox-{PORT_OFFSET}"


def _docker(command: str) -> None:
    subprocess.run(["docker", command, f"{PREFIX}-kafka"], check=True, capture_output=True, timeout=30)


@pytest.fixture
def broker() -> Iterator[int]:
    """The offset of the port of a broker of the test's own, which is not there yet."""
    containers.stop(PREFIX)
    yield PORT_OFFSET + 20
    containers.stop(PREFIX)


async def test_what_is_written_while_kafka_is_away_arrives(
    outbox: Outbox, quiet: Stack, broker: int, tmp_path: Path
) -> None:
    port = 13092 + broker
    kafka = f"127.0.0.1:{port}"
    async with outbox.relays(2, kafka=kafka):
        committed = await write_in_parallel(outbox)
        counts = f"SELECT count(*), count(published_at), count(sequence) FROM {outbox.table}"
        total, published, _ = await outbox.admin.fetchrow(counts) or (0, 0, 0)
        assert total == sum(map(len, committed.values())) > 400
        assert published == 0

        # It comes for the first time.
        servers = await asyncio.to_thread(containers.start, PREFIX, offset=broker, only=("kafka",))
        own = Stack(tmp_path / "identity", replace(quiet.servers, kafka=servers.kafka))
        await asyncio.to_thread(own.prepare)
        await outbox.sent(seconds=60)

        # It hangs with events under way, longer than the producer waits, and goes on.
        writing = asyncio.create_task(write_in_parallel(outbox))
        await asyncio.sleep(0.5)
        _docker("pause")
        try:
            more = await writing
            await asyncio.sleep(8)
            assert await outbox.admin.fetchval(
                f"SELECT count(*) FROM {outbox.table} WHERE published_at IS NULL"
            )
        finally:
            _docker("unpause")
        await outbox.sent(seconds=60)
    await check(outbox, {topic: committed[topic] | more[topic] for topic in committed}, kafka)


async def test_relays_that_are_killed_lose_nothing(
    outbox: Outbox, record_property: Callable[[str, object], None]
) -> None:
    """SIGKILL again and again, in the middle of batches, while transactions commit and roll back."""
    seed = random.randrange(2**32)
    record_property("seed", seed)
    dice, kills = random.Random(seed), 0
    writing = asyncio.create_task(write_in_parallel(outbox))
    relay = await outbox.relay_process()
    while not writing.done() or kills < 5:
        await asyncio.sleep(dice.uniform(0.7, 1.4))  # a process needs the half of it to begin
        relay.kill()
        await relay.wait()
        kills += 1
        relay = await outbox.relay_process()
    try:
        await outbox.sent()
    finally:
        relay.kill()
        await relay.wait()
    copies = await check(outbox, await writing)
    record_property("kills", kills)
    record_property("events, and copies", (len(copies), sum(copies.values())))
