"""The relay against real PostgreSQL and Kafka: each topic's numbers have no gap, whatever happens."""

import asyncio

import asyncpg
import pytest

from hack.dev.stack import Stack
from payments.common.ids import new_id
from tests.integration.common.outbox import TOPICS, Outbox, check, write_in_parallel
from tests.support.internal_calls import Pool, ensure, eventually

OWNERS = ("accounts", "gateway", "kyc", "ofac", "otp", "payments")


async def test_parallel_writers_that_roll_back_leave_no_gap_under_two_relays(outbox: Outbox) -> None:
    async with outbox.relays(2):
        committed = await write_in_parallel(outbox)
        await outbox.sent()
    assert min(map(len, committed.values())) > 200
    copies = await check(outbox, committed)
    assert set(copies.values()) == {1}


async def test_a_backlog_of_many_batches_is_numbered_in_the_order_of_writing(outbox: Outbox) -> None:
    await outbox.admin.executemany(
        f"INSERT INTO {outbox.table} (event_id, topic, key, type, payload) VALUES ($1, $2, $3, 'x', '{{}}')",
        [(new_id(), TOPICS[n % 3 == 0], f"key-{n % 7}") for n in range(2_300)],
    )
    async with outbox.relays(2):
        await outbox.sent()
    out_of_order = await outbox.admin.fetchval(
        f"""SELECT count(*) FROM (SELECT sequence, row_number() OVER (PARTITION BY topic ORDER BY id) AS place
                                  FROM {outbox.table}) AS rows WHERE sequence <> place"""
    )
    assert out_of_order == 0
    committed = {topic: set(ids) for topic, ids in (await outbox.numbers()).items()}
    assert {topic: len(ids) for topic, ids in committed.items()} == {TOPICS[0]: 1_533, TOPICS[1]: 767}
    await check(outbox, committed)


async def test_a_row_that_commits_late_gets_the_next_number(outbox: Outbox) -> None:
    async with outbox.relays(), outbox.admin.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        late = await outbox.write(slow, TOPICS[0])
        early = [await outbox.write(outbox.admin, TOPICS[0]) for _ in range(3)]
        await outbox.sent()
        await transaction.commit()
        await outbox.sent()
    assert (await outbox.numbers())[TOPICS[0]] == dict(zip([*early, late], (1, 2, 3, 4), strict=True))


@pytest.mark.parametrize("outbox", OWNERS, indirect=True)
async def test_every_owners_role_can_relay_and_keeps_the_numbers_unique(outbox: Outbox) -> None:
    written = [await outbox.write(outbox.admin, TOPICS[0]) for _ in range(3)]
    async with outbox.relays():
        await outbox.sent()
    assert (await outbox.numbers())[TOPICS[0]] == dict(zip(written, (1, 2, 3), strict=True))
    with pytest.raises(asyncpg.UniqueViolationError):
        await outbox.admin.execute(f"UPDATE {outbox.table} SET sequence = 1 WHERE sequence = 2")


@pytest.mark.parametrize("outbox", OWNERS, indirect=True)
async def test_the_statements_of_a_batch_read_no_more_than_the_batch(outbox: Outbox) -> None:
    """The numbering of 10 rows beside 30,000 published ones touches a few pages, by the indexes."""
    await outbox.admin.execute(
        f"""INSERT INTO {outbox.table} (event_id, topic, key, type, payload, sequence, published_at)
            SELECT 'old-' || n, 'payment-events', 'key', 'x', '{{}}', n, now()
            FROM generate_series(1, 30000) AS n"""
    )
    await outbox.admin.execute(f"ANALYZE {outbox.table}")
    counts = "SELECT idx_scan, seq_tup_read FROM pg_stat_user_tables WHERE relid = $1::text::regclass"
    async with outbox.admin.acquire() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        searches, rows = await connection.fetchrow(counts, outbox.table) or (0, 0)
    for _ in range(10):
        await outbox.write(outbox.admin, TOPICS[0])
    async with outbox.relays():
        await outbox.sent()

    async def told() -> bool:
        return bool((await outbox.admin.fetchval(counts, outbox.table)) >= searches + 4)

    # PostgreSQL tells what the relay's connections did after they are closed.
    await eventually("the relay's searches are counted", told)
    assert await outbox.admin.fetchval(counts, outbox.table, column=1) - rows < 30_000
    assert max((await outbox.numbers())[TOPICS[0]].values()) == 30_010


async def test_the_trail_of_audit_service_needs_payment_events_alone(stack: Stack, database: Pool) -> None:
    """Rows of both topics in turn, relayed in front of the running audit-service: it sees no gap."""
    ensure(stack, "audit-service")
    await database.execute("TRUNCATE payments.outbox")
    outbox = Outbox(stack, database, "payments")
    for n in range(40):
        await outbox.write(database, TOPICS[n % 2])
    async with outbox.relays():
        await outbox.sent()
    heard = "SELECT array_agg(source_sequence ORDER BY source_sequence) FROM audit.events WHERE source = $1"
    async with asyncio.timeout(30):
        while await database.fetchval(heard, outbox.source) != list(range(1, 21)):
            await asyncio.sleep(0.2)
