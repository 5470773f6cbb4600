"""Kafka away, relays killed between sending and noting it, events repeated and out of order."""

import asyncio
import json
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from hack.dev import containers
from tests.faults.conftest import SEED
from tests.support.faults.holds import Holds
from tests.support.faults.load import Load
from tests.support.faults.sizes import Sizes, rng
from tests.support.faults.system import Platform

RELAYS = {"confirm-service": "payments", "account-service": "accounts"}


async def kill_relays_that_have_sent(system: Platform, load: Load) -> None:
    """Their records are in Kafka, their rows do not say so: they will be sent again."""
    payer, payee = load.customers[:2]
    body = {"amount": 100, "currency": "USD", "from_account": payer.account, "to_account": payee.account}
    payment_id = (await payer.api.until_final("/v1/payments", body)).body["id"]
    async with Holds(system.dsn, tables=tuple(f"{schema}.outbox" for schema in RELAYS.values())) as holds:
        await holds.at(payment_id, "outbox:published")
        confirmed = await payer.api.until_final(f"/v1/payments/{payment_id}/confirm")
        assert confirmed.body["status"] == "succeeded", confirmed
        held = await holds.waiting(len(RELAYS), 20)
        assert len(held) == len(RELAYS), f"{len(held)} of {len(RELAYS)} relays have sent"
        await asyncio.gather(*(system.kill(service) for service in RELAYS))
        await holds.finish(held, commit=False)
    await system.start(list(RELAYS))


@pytest.mark.timeout(0)
async def test_no_event_is_lost_and_none_has_two_effects(
    system: Platform, size: Sizes, report: dict[str, Any]
) -> None:
    dice = rng("kafka", SEED)
    load = await system.load(dice)
    await asyncio.to_thread(containers.kill, system.prefix, "kafka")
    # Payments do not wait for Kafka.
    await load.for_seconds(size.kafka_seconds, size.rate)
    without = dict(system.told.statuses)
    await system.every_end_is_true(load.outcomes)
    await asyncio.to_thread(containers.restart, system.prefix, "kafka", offset=system.offset)
    await kill_relays_that_have_sent(system, load)
    first = await system.zeros()

    # Every record of these payments three times in all, and in any order.
    records = await system.records()
    again = [record for record in records if record[1]["subject"] in load.accepted for _ in range(2)]
    dice.shuffle(again)
    producer = AIOKafkaProducer(bootstrap_servers="127.0.0.1:{}".format(system.proxies["kafka"].port))
    await producer.start()
    try:
        for topic, event in again:
            key = str(event["subject"]).encode()
            await producer.send(topic, json.dumps(event).encode(), key=key)
        await producer.flush()
    finally:
        await producer.stop()
    await all_consumed(system)
    second = await system.zeros()
    audited = await system.sql("SELECT count(*) AS n FROM audit.events")
    report |= {"payments": len(load.outcomes), "answers_without_kafka": without, "repeated": len(again)}
    report |= {"audited": audited[0]["n"], "first": first, "second": second}
    events = {event["id"] for topic, event in records if topic == "payment-events"}
    assert audited[0]["n"] == len(events)


async def all_consumed(system: Platform) -> None:
    """Wait until both consumers have committed the ends of their partitions, by Kafka's own offsets."""
    for group, topic in (
        ("audit-service", "payment-events"),
        ("notification-service", "notification-events"),
    ):
        lag = -1
        for _ in range(240):
            lag = await system.lag(group, topic)
            if lag == 0:
                break
            await asyncio.sleep(0.25)
        assert lag == 0, f"{group} is {lag} records behind on {topic}"
