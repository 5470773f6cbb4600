"""Published rows go after their time; the numbers go on, and a payment's history stays."""

from datetime import timedelta

import pytest

from payments.common.outbox import PRUNE_BATCH
from tests.integration.common.outbox import TOPICS, Outbox
from tests.support.internal_calls import Pool, eventually

DAY = timedelta(days=1)
PRUNED = ("accounts", "gateway", "kyc", "ofac", "otp")


async def _old(outbox: Outbox, topic: str, first: int, last: int, days: int) -> None:
    """Rows that were published so many days ago."""
    await outbox.admin.execute(
        f"""INSERT INTO {outbox.table} (event_id, topic, key, type, payload, sequence, published_at)
            SELECT $1::text || n, $1, 'key', 'x', '{{}}', n, now() - $4::interval
            FROM generate_series($2::int, $3::int) AS n""",
        topic,
        first,
        last,
        timedelta(days=days),
    )


async def _left(outbox: Outbox) -> dict[str, list[int]]:
    return {topic: sorted(found.values()) for topic, found in (await outbox.numbers()).items()}


@pytest.mark.parametrize("outbox", PRUNED, indirect=True)
async def test_old_rows_go_and_the_numbers_go_on(outbox: Outbox) -> None:
    await _old(outbox, TOPICS[1], 1, 5, days=40)  # all of this topic is old
    await _old(outbox, TOPICS[0], 1, 2 * PRUNE_BATCH + 300, days=40)
    await _old(outbox, TOPICS[0], 2 * PRUNE_BATCH + 301, 2 * PRUNE_BATCH + 310, days=20)
    young = list(range(2 * PRUNE_BATCH + 301, 2 * PRUNE_BATCH + 311))

    async def pruned() -> bool:
        return await _left(outbox) == {TOPICS[0]: young, TOPICS[1]: [5]}

    async with outbox.relays(2, retention=30 * DAY):
        await eventually("old rows are gone", pruned)
        for topic in TOPICS:
            await outbox.write(outbox.admin, topic)
        await outbox.sent()
    assert await _left(outbox) == {TOPICS[0]: [*young, young[-1] + 1], TOPICS[1]: [5, 6]}


@pytest.mark.parametrize("outbox", ["otp"], indirect=True)
async def test_rows_that_wait_are_never_pruned_and_the_next_prune_is_an_hour_away(outbox: Outbox) -> None:
    await outbox.admin.execute(
        f"""INSERT INTO {outbox.table} (event_id, topic, key, type, payload, created_at)
            SELECT 'late-' || n, 'payment-events', 'key', 'x', '{{}}', now() - interval '90 days'
            FROM generate_series(1, 20) AS n"""
    )
    async with outbox.relays(retention=timedelta(0)):
        await outbox.sent()
        await outbox.write(outbox.admin, TOPICS[0])
        await outbox.sent()
    # All were published after the first, fruitless look.
    assert await _left(outbox) == {TOPICS[0]: list(range(1, 22))}
    assert {len(events) for events in (await outbox.delivered()).values()} == {21, 0}


async def test_without_a_retention_everything_stays(outbox: Outbox) -> None:
    await _old(outbox, TOPICS[0], 1, 10, days=4000)
    async with outbox.relays():
        await outbox.write(outbox.admin, TOPICS[0])
        await outbox.sent()
    assert await _left(outbox) == {TOPICS[0]: list(range(1, 12))}


async def test_a_prune_that_is_refused_holds_no_event_up(outbox: Outbox) -> None:
    """The role of confirm-service has no right to delete: the history of payments is read from its outbox."""
    await _old(outbox, TOPICS[0], 1, 10, days=40)
    async with outbox.relays(retention=30 * DAY):
        await outbox.write(outbox.admin, TOPICS[0])
        await outbox.sent(seconds=10)
    assert await _left(outbox) == {TOPICS[0]: list(range(1, 12))}


async def test_roles_may_delete_exactly_where_it_is_pruned(admin: Pool) -> None:
    rows = await admin.fetch(
        """SELECT nspname AS schema, has_table_privilege(nspname, pg_class.oid, 'DELETE') AS may
           FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relname = 'outbox'"""
    )
    assert {row["schema"] for row in rows if row["may"]} == set(PRUNED)
    assert {row["schema"] for row in rows if not row["may"]} == {"payments"}
