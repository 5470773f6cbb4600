"""The search index holds exactly the trail, whatever becomes of the engine and of those who write it."""

import asyncio
import math
import time
from datetime import UTC, datetime, timedelta

from hack.dev.stores import Stores
from payments.audit.domain import Entry, Fact
from payments.audit.exports.engine import Engine
from payments.audit.exports.search import SearchIndex
from tests.integration.audit_search.payers import Payers
from tests.integration.audit_search.replicas import Replicas
from tests.integration.audit_search.search import Search, same_as_the_trail, trail_stands_still
from tests.support.internal_calls import Pool, eventually

# A payment's two requests; the deadline of one is 30 s.
SLOWEST = 10.0


async def test_every_entry_is_in_the_index_once(
    replicas: Replicas, payers: Payers, search: Search, database: Pool
) -> None:
    await asyncio.gather(*(payers.pay(number) for number in range(30)))
    await trail_stands_still(database)
    await search.caught_up(database)
    entries = await same_as_the_trail(search, database)
    print(f"{entries} entries; payments: {dict(payers.endings)}")  # noqa: T201
    assert payers.endings["succeeded"] > 20 and payers.endings["canceled"] > 3
    ended = [{"match": {"payload": "succeeded"}}, {"term": {"type": "payment.succeeded"}}]
    query = {"query": {"bool": {"must": ended}}, "size": 1}
    found = await search.ask("POST", "/payment-audit-*/_search", query)
    assert found["hits"]["total"]["value"] >= payers.endings["succeeded"]
    assert found["hits"]["hits"][0]["_source"]["risk_level"] in ("LOW", "HIGH")
    # One at a time copies, so nothing was written twice; both know how much there is to do.
    figures: list[dict[str, float]] = []

    async def told() -> bool:
        figures[:] = [replicas.figures(name) for name in replicas.names()]
        return all(each["search_backlog"] == 0 for each in figures)

    await eventually("there is no backlog", told, seconds=10)
    assert sum(each["search_indexed_total"] for each in figures) == entries
    assert all(math.isnan(each["search_last_error_age_seconds"]) for each in figures)


async def test_payments_and_the_trail_go_on_without_the_engine_and_the_backlog_drains(
    replicas: Replicas, payers: Payers, search: Search, stores: Stores, database: Pool
) -> None:
    await search.caught_up(database)
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as load:
        for _ in range(2):
            load.create_task(payers.keep_paying(enough))
        try:
            await asyncio.sleep(1)
            stores.freeze("search")  # it takes connections and answers nothing
            frozen_at, recorded = time.monotonic(), await database.fetchval("SELECT seq FROM audit.head")
            await asyncio.sleep(3)
            stores.kill("search")
            before = len(payers.seconds)
            await asyncio.sleep(2)
            meanwhile = await database.fetchval("SELECT seq FROM audit.head") - recorded

            async def told() -> bool:
                figures = replicas.figures(replicas.names()[0])
                return figures["search_backlog"] > 20

            await eventually("the backlog shows", told, seconds=15)
            # Whoever is at work dies too, the other one takes over when the lease has ended.
            ages = {
                name: replicas.figures(name)["search_last_error_age_seconds"] for name in replicas.names()
            }
            holder = min(ages, key=lambda name: math.inf if math.isnan(ages[name]) else ages[name])
            assert ages[holder] < 30
            replicas.kill(holder)
            stores.restart("search")
            await asyncio.sleep(2)
        finally:
            enough.set()
    await asyncio.to_thread(stores.wait, "search")
    away = time.monotonic() - frozen_at
    await trail_stands_still(database)
    await search.caught_up(database)
    entries = await same_as_the_trail(search, database)
    assert len(payers.seconds) - before > 5 and meanwhile > 20
    assert max(payers.seconds) < SLOWEST
    print(  # noqa: T201
        f"engine away {away:.0f} s, {entries} entries, {meanwhile} of them recorded meanwhile,"
        f" {len(payers.seconds)} payments, the slowest {max(payers.seconds):.2f} s"
    )
    # In the chain's order: within an index, later entries were written later.
    last: dict[str, int] = {}
    for hit in await search.hits():
        assert hit["_seq_no"] > last.get(hit["_index"], -1)
        last[hit["_index"]] = hit["_seq_no"]


async def test_an_engine_that_lost_everything_is_filled_again(
    replicas: Replicas, payers: Payers, search: Search, database: Pool
) -> None:
    await search.caught_up(database)
    await search.ask("DELETE", "/_index_template/payment-audit")
    for index in await search.ask("GET", "/payment-audit-*"):
        await search.ask("DELETE", f"/{index}")
    assert await search.count() == 0
    await payers.pay(0)
    await trail_stands_still(database)
    await search.caught_up(database)
    await same_as_the_trail(search, database)
    assert replicas.names()


async def test_old_days_leave_the_index_and_stay_in_the_database(
    stores: Stores, search: Search, database: Pool
) -> None:
    now = datetime(2010, 6, 15, 12, tzinfo=UTC)  # before every entry of the trail, which stays whole
    rows = await database.fetchval("SELECT count(*) FROM audit.events")
    async with Engine(stores.url("search"), "", "") as engine:
        index = SearchIndex(engine, retention=timedelta(days=30), clock=lambda: now)
        ages = {0: True, 29: True, 30: True, 31: False, 400: False}
        everything = SearchIndex(engine, retention=timedelta(days=3650), clock=lambda: now)
        await everything.put([entry(n, now - timedelta(days=age)) for n, age in enumerate(ages)])
        assert not await index.lost()
        await index.prepare()
        names = await search.days()
        for age, kept in ages.items():
            assert (f"{now - timedelta(days=age):%Y.%m.%d}" in names) is kept, age
        # And what is too old does not come again.
        assert await index.put([entry(n, now - timedelta(days=age)) for n, age in enumerate(ages)]) == 3
        assert names == await search.days()
    assert rows == await database.fetchval("SELECT count(*) FROM audit.events")
    await search.count()  # refreshes: only what can be seen is deleted
    aged = {"query": {"term": {"type": "test.aged"}}}
    await search.ask("POST", "/payment-audit-*/_delete_by_query?refresh=true", aged)


def entry(number: int, moment: datetime) -> Entry:
    """An entry of a trail that is no one's."""
    fact = Fact(f"aged-{number}", None, None, "test", number + 1, "test.aged", moment, "{}")
    return Entry(10**9 + number, fact, "0" * 64, "1" * 64)
