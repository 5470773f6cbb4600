"""Crashes, replicas and settings: nothing is lost, nothing is claimed twice."""

import asyncio
from collections import Counter
from collections.abc import Callable

import httpx

from tests.integration.webhooks.conftest import System

Record = Callable[[str, object], None]


async def test_killed_while_sending_everything_arrives_at_least_once(
    system: System, record_property: Record
) -> None:
    merchant = await system.merchant()
    endpoint = await system.endpoint(merchant)
    system.receiver.delays[merchant.path] = 0.4  # so that the kill falls between sending and writing down
    await system.payments(merchant, 20)
    await system.receiver.until(merchant.path, 3)
    system.kill()
    began = asyncio.get_running_loop().time()
    claimed = await system.database.fetchval(
        "SELECT count(*) FROM payments.webhook_deliveries WHERE endpoint_id = $1 AND claim IS NOT NULL",
        endpoint["id"],
    )
    assert claimed > 0
    # Old events go when the service starts: one is made old meanwhile.
    await system.database.execute(
        """INSERT INTO payments.webhook_events (id, customer_id, type, body, created_at)
           VALUES ('old-' || $1, $1, 'payment.created', '{}', now() - interval '31 days')""",
        merchant.id,
    )
    system.receiver.delays[merchant.path] = 0.01
    await system.restart()
    wanted = await system.outbox(merchant)
    assert len(wanted) == 20
    await system.receiver.until_events(merchant.path, wanted)
    log = await system.settled(endpoint, merchant, "delivered", 20)
    came = Counter(system.receiver.events(merchant.path))
    assert set(came) == set(wanted) == {one["event"] for one in log}
    assert all(count <= 2 for count in came.values())
    again = sum(count == 2 for count in came.values())
    assert 0 < again <= claimed
    record_property("sent_twice_after_the_kill", again)
    record_property("seconds_until_all_had_come", round(asyncio.get_running_loop().time() - began, 2))
    for one in system.receiver.at(merchant.path):
        one.verify(endpoint["secret"])
    old = f"old-{merchant.id}"
    gone = "SELECT count(*) FROM payments.webhook_events WHERE id = $1"
    assert await system.database.fetchval(gone, old) == 0


async def test_two_replicas_send_everything_once(system: System, record_property: Record) -> None:
    merchants = [await system.merchant() for _ in range(3)]
    endpoints = [
        await system.endpoint(merchant, path=f"{merchant.path}/{number}")
        for merchant in merchants
        for number in range(2)
    ]
    for endpoint in endpoints:
        system.receiver.delays[endpoint["url"].removeprefix(system.receiver.url)] = 0.02
    starting = system.replica()
    await asyncio.to_thread(starting.__enter__)
    try:
        await asyncio.gather(*(system.payments(merchant, 25) for merchant in merchants))
        for merchant, endpoint in zip([m for m in merchants for _ in range(2)], endpoints, strict=True):
            path = endpoint["url"].removeprefix(system.receiver.url)
            wanted = await system.outbox(merchant)
            assert len(wanted) == 25
            await system.receiver.until_events(path, wanted)
            await system.settled(endpoint, merchant, "delivered", 25)
            assert Counter(system.receiver.events(path)) == Counter(wanted), "one was sent twice"
            assert system.receiver.most_at_once[path] <= 4
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)
    attempts = await system.database.fetchval(
        "SELECT max(attempts) FROM payments.webhook_deliveries WHERE endpoint_id = ANY ($1)",
        [endpoint["id"] for endpoint in endpoints],
    )
    assert attempts == 1
    record_property("deliveries_by_two_replicas", 150)


async def test_a_replica_that_may_not_reach_private_addresses_does_not(system: System) -> None:
    merchant = await system.merchant()
    endpoint = await system.endpoint(merchant)
    system.kill()
    starting = system.replica(WEBHOOKS_ALLOW_PRIVATE="false")
    url = await asyncio.to_thread(starting.__enter__)
    try:
        async with httpx.AsyncClient(base_url=url, timeout=10) as strict:
            usual, system.http = system.http, strict
            try:
                await system.payment(merchant)
                pending: list[dict[str, object]] = []
                while not pending or pending[0]["last_attempt"] is None:
                    await asyncio.sleep(0.1)
                    pending = await system.deliveries(endpoint, merchant)
                last = pending[0]["last_attempt"]
                assert isinstance(last, dict) and last["error"] == "address_not_allowed"
                body = {"url": system.receiver.url, "enabled_events": ["*"]}
                refused = await system.call("POST", "/v1/webhook_endpoints", body, actor=merchant.id)
                assert refused.json()["errors"][0]["field"] == "url"
            finally:
                system.http = usual
        assert system.receiver.at(merchant.path) == []
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)
        await system.restart()
    await system.settled(endpoint, merchant, "delivered")
