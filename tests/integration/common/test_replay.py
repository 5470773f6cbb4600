"""The command that sends events once more, against real Kafka: none is lost, none has a second effect."""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hack.dev.catalog import REPOSITORY, python
from hack.dev.stack import Stack
from payments.common.ids import new_id
from payments.common.kafka import Message, Producer
from payments.replay.__main__ import main
from tests.integration.common.outbox import TOPICS, Outbox
from tests.support.internal_calls import Pool, ensure, eventually

Replay = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Replay:
    """The command in a thread of this process, which spares starting Python each time."""

    async def run(kafka: str, *arguments: str, **variables: str) -> tuple[int, str]:
        for name, value in ({"KAFKA_BOOTSTRAP_SERVERS": kafka} | variables).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = await asyncio.to_thread(main, list(arguments))
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


async def process(kafka: str, *arguments: str) -> tuple[int, str]:
    """The command as a process; its exit code and everything that it said."""
    child = await asyncio.create_subprocess_exec(
        python(),
        *("-m", "payments.replay", *arguments),
        env={"PYTHONPATH": str(REPOSITORY / "services/src"), "KAFKA_BOOTSTRAP_SERVERS": kafka},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        told, _ = await child.communicate()
    assert child.returncode is not None
    return child.returncode, told.decode()


def letter(number: int, key: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": new_id(),
        "source": f"test-{key}",
        "type": "payment.created",
        "subject": key,
        "time": "2026-01-31T12:00:00Z",
        "sequence": str(number),
        "data": {"id": key, "customer_id": "cust_001"},
    }


async def lying(kafka: str, topic: str) -> list[Any]:
    """All records of a topic."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        found: list[Any] = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
        return found
    finally:
        await consumer.stop()


@pytest.fixture
def kafka(quiet: Stack) -> str:
    return "{}:{}".format(*quiet.servers.kafka)


@pytest.fixture
async def topic(kafka: str) -> AsyncIterator[str]:
    """A topic with a dead-letter topic, of this test alone."""
    name = f"test-{secrets.token_hex(6)}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(each, 2, 1) for each in (name, f"{name}.dlq")])
        yield name
        await admin.delete_topics([name, f"{name}.dlq"])
    finally:
        await admin.close()


async def test_dead_letters_go_back_once_in_order_whatever_interrupts(
    kafka: str, topic: str, replay: Replay
) -> None:
    dead = f"{topic}.dlq"
    letters = [letter(number, f"key-{number % 3}") for number in range(20)]
    async with Producer(kafka, client_id="test") as producer:
        sent = [
            Message(
                dead,
                e["subject"].encode(),
                json.dumps(e).encode(),
                [("traceparent", b"t"), ("error", b"why")],
            )
            for e in letters
        ]
        await producer.send([*sent, Message(dead, b"key-0", b"no event", [("error", b"why")])])

    code, told = await replay(kafka, "dead-letters", "--topic", dead, "--dry-run")
    assert code == 0 and "21 events would be sent" in told
    assert told.count(": why") == 21 and all(e["id"] in told for e in letters)
    assert await lying(kafka, topic) == []

    runs = [await replay(kafka, "dead-letters", "--topic", dead, "--limit", "8") for _ in range(4)]
    assert [code for code, _ in runs] == [0] * 4
    assert [told.splitlines()[-1].split()[1] for _, told in runs] == ["8", "8", "5", "0"]
    back = await lying(kafka, topic)
    events = [json.loads(record.value) for record in back if record.value != b"no event"]
    assert len(back) == 21
    assert Counter(event["id"] for event in events) == Counter(e["id"] for e in letters)
    for key in ("key-0", "key-1", "key-2"):
        assert [e["id"] for e in events if e["subject"] == key] == [
            e["id"] for e in letters if e["subject"] == key
        ]
    assert {record.headers for record in back if record.value != b"no event"} == {
        (("traceparent", b"t"), ("replayed", b"1"))
    }

    one = letters[7]["id"]
    code, told = await replay(kafka, "dead-letters", "--topic", dead, "--event-id", one)
    assert code == 0 and "1 events sent" in told
    assert Counter(r.value for r in await lying(kafka, topic))[json.dumps(letters[7]).encode()] == 2
    code, told = await replay(kafka, "dead-letters", "--topic", dead, "--event-id", "none")
    assert code == 3 and "there is no event none" in told


async def test_what_is_sent_twice_is_recorded_once(stack: Stack, database: Pool, replay: Replay) -> None:
    """A dead letter of the topic of audit-service, sent back twice."""
    ensure(stack, "audit-service")
    kafka = "{}:{}".format(*stack.servers.kafka)
    event = letter(1, f"pay-{secrets.token_hex(6)}")
    async with Producer(kafka, client_id="test") as producer:
        headers = [("error", b"the database was too old")]
        await producer.send(
            [Message("payment-events.dlq", event["subject"].encode(), json.dumps(event).encode(), headers)]
        )
    arguments = ("dead-letters", "--topic", "payment-events.dlq", "--event-id", event["id"])
    assert [(await replay(kafka, *arguments))[0] for _ in range(2)] == [0, 0]
    # Behind both copies in the same partition: when it is there, they have been handled.
    last = letter(2, event["subject"])
    async with Producer(kafka, client_id="test") as producer:
        await producer.send([Message("payment-events", last["subject"].encode(), json.dumps(last).encode())])
    count = "SELECT count(*) FROM audit.events WHERE event_id = $1"

    async def recorded() -> bool:
        return bool(await database.fetchval(count, last["id"]) == 1)

    await eventually("the events are recorded", recorded, seconds=30)
    assert await database.fetchval(count, event["id"]) == 1


async def test_an_outbox_is_published_once_more_with_the_same_ids(
    outbox: Outbox, kafka: str, replay: Replay
) -> None:
    await outbox.admin.executemany(
        f"""INSERT INTO {outbox.table} (event_id, topic, key, type, payload, created_at)
            VALUES ($1, $2, $3, 'x', '{{}}', now() - $4 * interval '1 hour')""",
        [(new_id(), TOPICS[n % 5 == 0], f"key-{n % 7}", 3 if n < 100 else 0) for n in range(700)],
    )
    async with outbox.relays():
        await outbox.sent()
    waiting = await outbox.write(outbox.admin, TOPICS[0])
    host, port = outbox.stack.servers.postgres
    variables = {
        "DATABASE_HOST": host,
        "DATABASE_PORT": str(port),
        "DATABASE_NAME": outbox.stack.servers.database,
        "DATABASE_USER": "payments",
        "DATABASE_PASSWORD": "dev-payments",
    }
    since = await outbox.admin.fetchval(
        "SELECT to_char(now() - interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SSOF')"
    )
    command = ("outbox", "--service", "confirm-service", "--since", since)
    before = await outbox.numbers()
    code, told = await replay(kafka, *command, "--dry-run", **variables)
    assert code == 0 and "600 events would be sent" in told
    code, told = await replay(kafka, *command, "--limit", "250", **variables)
    assert code == 0 and "250 events sent" in told
    after = told.split("--after ")[1].split()[0]
    code, told = await replay(kafka, *command, "--after", after, **variables)
    assert code == 0 and "350 events sent" in told, told
    assert await outbox.numbers() == before

    again = Outbox(outbox.stack, outbox.admin, "payments")
    again.source = "confirm-service"
    first, second = await outbox.delivered(), await again.delivered()
    for topic in TOPICS:
        ids = {event["id"] for event in first[topic]}
        copies = [event for event in second[topic] if event["id"] in ids]
        old = set(
            await outbox.admin.fetchval(
                f"SELECT array_agg(event_id) FROM {outbox.table} WHERE created_at < now() - interval '1 hour'"
            )
        )
        assert Counter(event["id"] for event in copies) == Counter(ids - old)
        assert {e["id"]: int(e["sequence"]) for e in copies}.items() <= before[topic].items()
        for key in {event["subject"] for event in copies}:
            assert [e["id"] for e in copies if e["subject"] == key] == [
                e["id"] for e in first[topic] if e["subject"] == key and e["id"] not in old
            ]
        assert waiting not in {event["id"] for event in second[topic]}  # the relay's own work
    code, told = await replay(kafka, *command, "--event-id", "none", **variables)
    assert code == 3


async def test_outages_have_an_exit_code_of_their_own(kafka: str, replay: Replay) -> None:
    code, told = await replay(kafka, "dead-letters", "--topic", "none.dlq")
    assert code == 1 and "Kafka does not know the topic none.dlq" in told and "run it again to go on" in told
    code, told = await process("127.0.0.1:1", "dead-letters", "--topic", "payment-events.dlq")
    assert code == 1 and "run it again to go on" in told
