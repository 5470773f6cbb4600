"""Messages over HTTP and from Kafka, each delivered once on each channel."""

import asyncio
import json
import secrets
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from hack.dev.stack import Stack
from payments.common.ids import new_id
from payments.common.kafka import Message, Producer
from tests.support.internal_calls import Calls, Pool, ensure, eventually


@pytest.fixture
async def customer(database: Pool) -> str:
    customer_id = f"cust-{secrets.token_hex(6)}"
    await database.execute(
        "INSERT INTO kyc.customers (customer_id, name, email, phone, status)"
        " VALUES ($1, 'Ada Test', $1 || '@example.com', '+15550101', 'verified')",
        customer_id,
    )
    return customer_id


async def received(notification: Calls, to: str) -> list[dict[str, Any]]:
    """What the sandbox keeps for an address; asked without any token."""
    response = await notification.http.get(notification.url("/sandbox/messages"), params={"to": to})
    assert response.status_code == 200
    messages: list[dict[str, Any]] = response.json()["messages"]
    return messages


def confirmation(customer_id: str, **more: Any) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "type": "PAYMENT_CONFIRMED",
        "data": {"amount": 123456, "currency": "USD", "transaction_id": "txn_9"},
        "dedupe_key": new_id(),
    } | more


async def test_a_message_goes_out_on_all_channels(notification: Calls, customer: str) -> None:
    answer = await notification.answer("/send-notification", confirmation(customer))
    assert answer["success"] is True
    assert [result["channel"] for result in answer["results"]] == ["sms", "email", "push"]
    assert all(result["success"] and result["messageId"] for result in answer["results"])
    messages = await received(notification, customer)
    assert {message["to"] for message in messages} == {"+15550101", f"{customer}@example.com", customer}
    assert {message["body"] for message in messages} == {
        "Payment of 1,234.56 USD confirmed. Transaction ID: txn_9"
    }
    assert {message["id"] for message in messages} == {result["messageId"] for result in answer["results"]}


async def test_the_channels_may_be_chosen(notification: Calls, customer: str) -> None:
    body = confirmation(customer, channels=["email", "email"])
    answer = await notification.answer("/send-notification", body)
    assert [result["channel"] for result in answer["results"]] == ["email"]
    assert [message["channel"] for message in await received(notification, customer)] == ["email"]


async def test_a_message_is_delivered_once_however_often_it_is_sent(
    notification: Calls, customer: str
) -> None:
    body = confirmation(customer)
    await asyncio.gather(*(notification.answer("/send-notification", body) for _ in range(30)))
    last = await notification.answer("/send-notification", body)
    assert len(await received(notification, customer)) == 3
    assert last["success"] is True


async def test_a_customer_without_an_address_is_not_reached_on_that_channel(
    notification: Calls, customer: str, database: Pool
) -> None:
    await database.execute("UPDATE kyc.customers SET phone = NULL WHERE customer_id = $1", customer)
    answer = await notification.answer("/send-notification", confirmation(customer))
    assert answer["success"] is True
    assert answer["results"][0] == {
        "channel": "sms",
        "success": False,
        "messageId": None,
        "error": "no address",
    }
    await database.execute("UPDATE kyc.customers SET email = NULL WHERE customer_id = $1", customer)
    answer = await notification.answer(
        "/send-notification", confirmation(customer, channels=["sms", "email"])
    )
    assert answer["success"] is False


async def test_nobody_and_no_contact_service_are_told_apart(notification: Calls, stack: Stack) -> None:
    nobody = confirmation(f"nobody-{secrets.token_hex(4)}")
    assert (await notification.post("/send-notification", nobody)).status_code == 404
    stack.processes.kill("kyc-service")
    try:
        assert (await notification.post("/send-notification", confirmation("cust_001"))).status_code == 503
    finally:
        ensure(stack, "kyc-service")


@pytest.mark.parametrize(
    "change",
    [
        {"channels": ["pigeon"]},
        {"channels": []},
        {"type": "otp required"},
        {"customer_id": "a\0b"},
        {"dedupe_key": "a b"},
        {"data": {"amount": 1, "currency": "XXX"}},
        {"data": {"amount": [1]}},
    ],
)
async def test_bad_requests_are_told(notification: Calls, change: dict[str, object]) -> None:
    response = await notification.post("/send-notification", confirmation("cust_001") | change)
    assert response.status_code == 422


async def test_the_sandbox_needs_no_token_and_the_rest_does(notification: Calls) -> None:
    url = notification.url("/send-notification")
    assert (await notification.http.post(url, json=confirmation("cust_001"))).status_code == 401
    for params in ({}, {"to": ""}, {"to": "x", "limit": "0"}, {"to": "x", "limit": "101"}, {"to": "a\0"}):
        response = await notification.http.get(notification.url("/sandbox/messages"), params=params)
        assert response.status_code == 422
    assert await received(notification, "+15550101") == await received(notification, " 15550101")


def event(customer_id: str, type_: str = "payment.succeeded", **more: Any) -> Message:
    body = {
        "specversion": "1.0",
        "id": new_id(),
        "source": "confirm-service",
        "type": type_,
        "subject": "p1",
        "time": "2026-01-31T12:00:00.000Z",
        "sequence": "1",
        "data": {"id": "p1", "customer_id": customer_id, "amount": 500, "currency": "USD"} | more,
    }
    return Message("notification-events", b"p1", json.dumps(body).encode())


def servers(stack: Stack) -> str:
    return "{}:{}".format(*stack.servers.kafka)


async def test_events_are_told_once_though_they_come_thrice(
    notification: Calls, customer: str, stack: Stack
) -> None:
    events = [event(customer), event(customer, "payment.failed"), event(customer, "payment.created")]
    async with Producer(servers(stack), client_id="test") as producer:
        for _ in range(3):
            await producer.send(events)

    async def told() -> bool:
        return len(await received(notification, customer)) >= 6

    await eventually("both events are told", told, seconds=30)
    await asyncio.sleep(1)
    messages = await received(notification, customer)
    assert len(messages) == 6
    assert {message["type"] for message in messages} == {"PAYMENT_CONFIRMED", "PAYMENT_FAILED"}


async def test_poison_goes_to_the_dead_letters_and_holds_nothing_up(
    notification: Calls, customer: str, stack: Stack
) -> None:
    mark = secrets.token_hex(8).encode()
    poison = Message("notification-events", b"p1", b"no event " + mark)
    async with Producer(servers(stack), client_id="test") as producer:
        await producer.send([event(customer), poison, event(customer, "payment.failed")])

    async def told() -> bool:
        return len(await received(notification, customer)) == 6

    await eventually("the events around the poison are told", told, seconds=30)
    dead = AIOKafkaConsumer(
        "notification-events.dlq", bootstrap_servers=servers(stack), auto_offset_reset="earliest"
    )
    await dead.start()
    try:
        async with asyncio.timeout(20):
            async for record in dead:
                if mark in record.value:
                    assert b"no event that can be told" in dict(record.headers)["error"]
                    break
    finally:
        await dead.stop()


async def test_the_sandbox_forgets_old_messages(stack: Stack, database: Pool) -> None:
    ensure(stack, "kyc-service", "notification-service")
    keys = {name: f"{name}-{secrets.token_hex(6)}" for name in ("old", "young")}
    for name, age in (("old", "25 hours"), ("young", "23 hours")):
        await database.execute(
            "INSERT INTO notification.sandbox_messages"
            " (delivery_id, customer_id, type, channel, recipient, subject, body, created_at)"
            " VALUES ($1, $1, 'OTP_REQUIRED', 'sms', $1, '', '123456', now() - $2::text::interval)",
            keys[name],
            age,
        )
    stack.processes.kill("notification-service")
    ensure(stack, "notification-service")

    async def forgotten() -> bool:
        found = await database.fetch("SELECT delivery_id FROM notification.sandbox_messages")
        return keys["old"] not in {row["delivery_id"] for row in found}

    await eventually("the old message is deleted", forgotten)
    young = "SELECT count(*) FROM notification.sandbox_messages WHERE delivery_id = $1"
    assert await database.fetchval(young, keys["young"]) == 1
