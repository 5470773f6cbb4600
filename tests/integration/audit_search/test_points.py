"""InfluxDB holds one point for each finished payment."""

import asyncio
import json
import time

import httpx

from hack.dev.stores import Stores
from tests.integration.audit_search.payers import Payers
from tests.integration.audit_search.points import Points, ends, moment
from tests.integration.audit_search.replicas import Replicas
from tests.integration.audit_search.search import trail_stands_still
from tests.support.internal_calls import Pool, eventually

SLOWEST = 10.0


async def test_each_finished_payment_is_one_point(
    replicas: Replicas, payers: Payers, points: Points, database: Pool
) -> None:
    assert replicas.names()
    await asyncio.gather(*(payers.pay(number) for number in range(30)))
    waits = await payers.pay(1, amount=1_200_000)  # HIGH: for a one-time password
    await trail_stands_still(database)
    await points.caught_up(database)
    found = {point["payment_id"]: point for point in await points.all()}
    wanted = await ends(database)
    assert found.keys() == wanted.keys()
    assert set(payers.finished) - found.keys() == {waits}
    for payment, point in found.items():
        event = json.loads(wanted[payment]["text"])
        assert point["status"] == event["status"]
        assert point["amount"] == str(event["amount"]) and point["currency"] == event["currency"]
        level = ((event["assessment"] or {}).get("public") or {}).get("level")
        assert point["risk_level"] == (level or "none")
        assert moment(point) == (wanted[payment]["time"], wanted[payment]["seq"] % 10**6)
    own = [found[payment] for payment in payers.finished if payment != waits]
    latencies = [int(point["latency_ms"]) for point in own if point["status"] == "succeeded"]
    print(f"{len(found)} points, latencies of {len(latencies)}: {min(latencies)}-{max(latencies)} ms")  # noqa: T201
    assert len(latencies) > 20 and 0 < min(latencies) and max(latencies) < SLOWEST * 1000
    assert {point.get("latency_ms", "") for point in own if point["status"] == "canceled"} == {""}


async def test_a_repeat_overwrites_itself(replicas: Replicas, points: Points, database: Pool) -> None:
    assert replicas.names()
    await points.caught_up(database)
    before = sorted(map(str, await points.all()))
    assert before
    await database.execute("UPDATE audit.exports SET seq = 0 WHERE name = 'influxdb'")

    async def again() -> bool:
        return bool(
            await database.fetchval(
                "SELECT x.seq = h.seq FROM audit.exports x, audit.head h WHERE x.name = 'influxdb'"
            )
        )

    await eventually("everything was written again", again, seconds=30)
    assert sorted(map(str, await points.all())) == before


async def test_payments_go_on_without_influxdb_and_their_points_come_later(
    replicas: Replicas, payers: Payers, points: Points, stores: Stores, database: Pool
) -> None:
    await points.caught_up(database)
    stores.kill("influxdb")
    began = time.monotonic()
    for batch in range(3):
        await asyncio.gather(*(payers.pay(batch * 10 + number) for number in range(10)))
    await trail_stands_still(database)

    async def told() -> bool:
        figures = replicas.figures(replicas.names()[0])
        return figures["influxdb_backlog"] > 30

    await eventually("the backlog shows", told, seconds=15)
    try:
        await points.http.get("/health")
        raise AssertionError("InfluxDB is there")
    except httpx.HTTPError:
        stores.restart("influxdb")
    await asyncio.to_thread(stores.wait, "influxdb")
    await points.caught_up(database)
    assert {point["payment_id"] for point in await points.all()} == (await ends(database)).keys()
    assert len(payers.seconds) == 30 and max(payers.seconds) < SLOWEST
    print(f"InfluxDB away {time.monotonic() - began:.0f} s, the slowest payment {max(payers.seconds):.2f} s")  # noqa: T201
