"""Tampering with the audit trail is seen: by its own proof, by the scheduled one, by the anchors in Kafka."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from payments.audit.anchors import Anchor, read
from payments.audit.domain import Head
from payments.audit.store import Snapshot
from payments.audit.usecases import examine
from payments.common.brokers import Brokers
from payments.verification.check import Check
from payments.verification.checks import TRAIL
from tests.integration.verification import tampering
from tests.integration.verification.tampering import Connection
from tests.integration.verification.world import World

TAMPERINGS = 100


@pytest.fixture
async def trail(world: World) -> AsyncIterator[Connection]:
    """A connection to a copy, as superuser; what is done in its transactions is undone."""
    with world.copy() as (name, _):
        connection = await asyncpg.connect(world.stack.admin_dsn(name))
        try:
            yield connection
        finally:
            await connection.close()


@pytest.fixture
async def anchors(world: World) -> list[Anchor]:
    """What the platform anchored while it ran and when it stopped."""
    return await read(Brokers("{}:{}".format(*world.stack.servers.kafka)))


async def scheduled(connection: Connection, anchors: list[Anchor]) -> set[str]:
    """Kinds of what the scheduled verification says about the trail."""
    values = {
        "anchor_sequences": [anchor.sequence for anchor in anchors],
        "anchor_hashes": [anchor.hash for anchor in anchors],
        "anchor_counts": [anchor.count for anchor in anchors],
        "anchor_times": [anchor.time for anchor in anchors],
        "cutoff": anchors[-1].time,
        "anchored_within": timedelta(minutes=15),
    }
    kinds: set[str] = set()
    for check in TRAIL:
        statement, given = numbered(check, values)
        kinds |= {row["kind"] for row in await connection.fetch(statement, *given)}
    return kinds


def numbered(check: Check, values: dict[str, object]) -> tuple[str, list[object]]:
    """The check's SQL with asyncpg's parameters, as the transaction that sees the damage is asyncpg's."""
    statement, given = check.wrong(""), list[object]()
    for name, value in values.items():
        if f"%({name})s" in statement:
            given.append(value)
            statement = statement.replace(f"%({name})s", f"${len(given)}")
    return statement, given


async def test_the_anchors_say_how_the_trail_grew(world: World, anchors: list[Anchor]) -> None:
    sequences = [anchor.sequence for anchor in anchors]
    assert len(anchors) >= 2
    assert sequences == sorted(sequences)
    with world.connect(world.stack.servers.database) as connection:
        last = connection.execute("SELECT seq, hash FROM audit.head").fetchone()
        rows = connection.execute("SELECT count(*) FROM audit.events").fetchone()
    # The last one was written at shutdown.
    assert (anchors[-1].sequence, anchors[-1].hash) == last
    assert (anchors[-1].count,) == rows


async def test_a_hundred_tamperings_are_all_seen(
    world: World, trail: Connection, anchors: list[Anchor]
) -> None:
    dice = random.Random(world.seed)
    heads = [Head(anchor.sequence, anchor.hash) for anchor in anchors]
    last = anchors[-1].sequence
    whole = await examine(Snapshot(trail), anchors=heads)
    assert whole.intact and whole.complete and not await scheduled(trail, anchors)
    done: Counter[str] = Counter()
    for number in range(TAMPERINGS):
        name = list(tampering.WAYS)[number % len(tampering.WAYS)]
        transaction = trail.transaction()
        await transaction.start()
        what = f"seed {world.seed}, {name} {await tampering.WAYS[name](trail, dice, last)}"
        report = await examine(Snapshot(trail), anchors=heads)
        assert not report.intact, what
        assert await scheduled(trail, anchors), what
        await transaction.rollback()
        done[name] += 1
    print(f"SEED={world.seed}, tamperings {dict(done)}")  # noqa: T201
    assert sum(done.values()) == TAMPERINGS
    assert (await examine(Snapshot(trail), anchors=heads)).intact


async def test_only_the_anchors_see_a_whole_chain_rewritten(trail: Connection, anchors: list[Anchor]) -> None:
    heads = [Head(anchor.sequence, anchor.hash) for anchor in anchors]
    async with trail.transaction():
        await tampering.rewrite_from(trail, 1)
        blind = await examine(Snapshot(trail))
        assert blind.intact and blind.complete, "the chain is not whole in itself: the test proves nothing"
        seen = await examine(Snapshot(trail), anchors=heads)
        assert len(seen.faults) == len(anchors)
        assert await scheduled(trail, anchors) == {"anchor_broken"}


def test_the_commands_read_the_anchors_themselves(world: World) -> None:
    with world.copy() as (name, connection):
        whole = world.verify(name, module="payments.audit.verify")
        assert whole.code == 0, whole.output + whole.errors
        assert whole.report["anchors"] >= 2
        # Entries behind a truncation are gone from the books of the database, not from Kafka.
        connection.execute("DELETE FROM audit.events WHERE seq = (SELECT max(seq) FROM audit.events)")
        connection.execute(
            "UPDATE audit.head SET (seq, hash) ="
            " (SELECT seq, hash FROM audit.events ORDER BY seq DESC LIMIT 1)"
        )
        blind = world.verify(name, "--without-kafka", module="payments.audit.verify")
        assert blind.report["intact"] is True
        cut = world.verify(name, module="payments.audit.verify")
        assert (cut.code, cut.report["intact"]) == (1, False)
        assert "anchor_broken" in {kind for kind, _ in world.found(name, "run")}
        # The scheduled run notes its result, and the service that serves metrics may read it.
        noted = connection.execute("SELECT ok, wrong->>'audit_anchors_hold' FROM verification.runs")
        assert noted.fetchall()[-1] == (False, "1")


async def test_without_kafka_nothing_is_proven(world: World) -> None:
    answer = await asyncio.to_thread(world.verify, world.stack.servers.database, "run", kafka="127.0.0.1:1")
    assert answer.code == 3
    assert "could not verify" in answer.errors
