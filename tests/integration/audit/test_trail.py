"""The trail from Kafka to the proof, with the database as the tamperer's way in."""

import asyncio
import hashlib
import json
import os
import secrets
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from hack.dev.catalog import REPOSITORY, python
from hack.dev.stack import Stack
from payments.common.ids import new_id
from payments.common.kafka import Message, Producer
from tests.support.internal_calls import Calls, Pool, eventually


def event(source: str, sequence: int, *, payment: str, **data: Any) -> Message:
    body = {
        "specversion": "1.0",
        "id": new_id(),
        "source": source,
        "type": "payment.created",
        "subject": payment,
        "time": "2026-01-31T12:00:00.123Z",
        "sequence": str(sequence),
        "data": {"id": payment, "customer_id": "cust_001", "amount": sequence, "note": "Zoë"} | data,
    }
    return Message("payment-events", payment.encode(), json.dumps(body, ensure_ascii=False).encode())


@pytest.fixture
async def producer(stack: Stack) -> AsyncIterator[Producer]:
    async with Producer("{}:{}".format(*stack.servers.kafka), client_id="test") as producer:
        yield producer


async def record(audit: Calls, producer: Producer, count: int, source: str = "") -> str:
    """Send events of a new payment through Kafka and wait for them; returns the payment."""
    payment = f"pay-{secrets.token_hex(6)}"
    await producer.send([event(source or f"test-{payment}", n + 1, payment=payment) for n in range(count)])

    async def there() -> bool:
        return len((await audit.get("/events", payment_id=payment)).json()["data"]) == count

    await eventually("the events are recorded", there, seconds=30)
    return payment


async def verify(audit: Calls) -> dict[str, Any]:
    report: dict[str, Any] = (await audit.get("/verify", last=10**9)).json()
    return report


def verify_tool(stack: Stack, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The command line proof, in the service's own environment."""
    host, port = stack.servers.postgres
    variables = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(REPOSITORY / "services/src"),
        "DATABASE_HOST": host,
        "DATABASE_PORT": str(port),
        "DATABASE_NAME": stack.servers.database,
        "DATABASE_USER": "audit",
        "DATABASE_PASSWORD": "dev-audit",
    }
    # Anchors are tested with a Kafka of their own, see tests/integration/verification.
    command = [python(), "-m", "payments.audit.verify", "--without-kafka", *arguments]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout or "{}")


async def test_events_are_recorded_once_though_they_come_thrice_and_mixed(
    audit: Calls, producer: Producer
) -> None:
    payment = f"pay-{secrets.token_hex(6)}"
    source = f"test-{payment}"
    events = [event(source, n + 1, payment=payment) for n in range(40)]
    for batch in (events[20:], events, list(reversed(events))):
        await producer.send(batch)

    async def there() -> bool:
        return len((await audit.get("/events", payment_id=payment, limit=500)).json()["data"]) >= 40

    await eventually("all events are recorded", there, seconds=30)
    await asyncio.sleep(1)
    found = (await audit.get("/events", payment_id=payment, limit=500)).json()
    assert len(found["data"]) == 40
    assert sorted(entry["source_sequence"] for entry in found["data"]) == list(range(1, 41))
    report = await verify(audit)
    assert (report["intact"], report["faults"]) == (True, [])
    assert source not in {gap["source"] for gap in report["gaps"]}


async def test_the_chain_can_be_recomputed_from_the_table_alone(
    audit: Calls, producer: Producer, database: Pool
) -> None:
    await record(audit, producer, 5)
    previous = "0" * 64
    rows = await database.fetch("SELECT *, payload::text AS text FROM audit.events ORDER BY seq")
    for number, row in enumerate(rows, 1):
        text = json.dumps(
            {
                "customer_id": row["customer_id"],
                "event_id": row["event_id"],
                "payload": row["text"],
                "payment_id": row["payment_id"],
                "prev_hash": previous,
                "seq": number,
                "source": row["source"],
                "source_sequence": row["source_sequence"],
                "time": row["time"].strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "type": row["type"],
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert (row["seq"], row["hash"]) == (number, previous)
    assert await database.fetchval("SELECT hash FROM audit.head") == previous


async def test_pages_go_on_where_the_last_one_ended(audit: Calls, producer: Producer) -> None:
    payment = await record(audit, producer, 7)
    seen: list[int] = []
    after = 0
    while True:
        page = (await audit.get("/events", payment_id=payment, limit=3, starting_after=after)).json()
        seen += [entry["seq"] for entry in page["data"]]
        if not page["has_more"]:
            break
        after = seen[-1]
    assert len(seen) == 7
    assert seen == sorted(set(seen))
    none = await audit.get("/events", payment_id=payment, type="payment.failed")
    assert none.json() == {"data": [], "has_more": False, "object": "list"}


TAMPERINGS = {
    "type": "UPDATE audit.events SET type = 'payment.failed' WHERE seq = $1",
    "payload": "UPDATE audit.events SET payload = '{}' WHERE seq = $1",
    "white space": "UPDATE audit.events SET payload = (payload::text || ' ')::json WHERE seq = $1",
    "payment": "UPDATE audit.events SET payment_id = NULL WHERE seq = $1",
    "customer": "UPDATE audit.events SET customer_id = 'x' WHERE seq = $1",
    "time": "UPDATE audit.events SET time = time + interval '1 microsecond' WHERE seq = $1",
    "source": "UPDATE audit.events SET source = 'x' WHERE seq = $1",
    "event id": "UPDATE audit.events SET event_id = 'x' WHERE seq = $1",
    "sequence": "UPDATE audit.events SET source_sequence = source_sequence + 1000 WHERE seq = $1",
    "hash": "UPDATE audit.events SET hash = repeat('a', 64) WHERE seq = $1",
    "link": "UPDATE audit.events SET prev_hash = repeat('a', 64) WHERE seq = $1",
    "deletion": "DELETE FROM audit.events WHERE seq = $1",
    "truncation": "DELETE FROM audit.events WHERE seq >= $1",
    "everything gone": "DELETE FROM audit.events WHERE seq > 0 AND $1 > 0",
    "move": "UPDATE audit.events SET seq = seq + 1000000 WHERE seq = $1",
    "swap": "UPDATE audit.events a SET payload = b.payload FROM audit.events b"
    " WHERE a.seq IN ($1::bigint, $1 + 1) AND a.seq + b.seq = $1 + $1 + 1",
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_tampering_shows(audit: Calls, producer: Producer, database: Pool, name: str) -> None:
    payment = await record(audit, producer, 6)
    await eventually("the trail stands still", lambda: _still(database))
    last = (await audit.get("/events", payment_id=payment)).json()["data"][-1]["seq"]
    assert (await verify(audit))["intact"] is True
    async with database.acquire() as connection:
        # Whatever is done is undone afterwards: the next test needs a whole chain.
        await connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM audit.events")
        await connection.execute(TAMPERINGS[name], last - 2)
        report = await verify(audit)
        await connection.execute("DELETE FROM audit.events")
        await connection.execute("INSERT INTO audit.events SELECT * FROM kept")
        await connection.execute("DROP TABLE kept")
    assert report["intact"] is False
    assert report["faults"]
    assert (await verify(audit))["intact"] is True


async def _still(database: Pool) -> bool:
    before = await database.fetchval("SELECT seq FROM audit.head")
    await asyncio.sleep(0.5)
    return bool(before == await database.fetchval("SELECT seq FROM audit.head"))


async def test_missing_and_repeated_sequence_numbers_show(audit: Calls, producer: Producer) -> None:
    payment = f"pay-{secrets.token_hex(6)}"
    source = f"test-{payment}"
    await producer.send([event(source, n, payment=payment) for n in (2, 3, 6, 6, 8)])
    # Each topic has numbers of its own: those of another one fill no gap here.
    await producer.send(
        [event(source, n, payment=payment)._replace(topic="notification-events") for n in (4, 7)]
    )

    async def gaps() -> list[tuple[int, int]]:
        report = await verify(audit)
        return [(gap["first"], gap["last"]) for gap in report["gaps"] if gap["source"] == source]

    async def as_expected() -> bool:
        return await gaps() == [(1, 1), (4, 5), (7, 7)]

    await eventually("the gaps show", as_expected, seconds=30)
    report = await verify(audit)
    assert (report["intact"], report["complete"]) == (True, False)
    assert [r for r in report["repeats"] if r["source"] == source] == [
        {"source": source, "source_sequence": 6, "events": 2}
    ]
    await producer.send([event(source, n, payment=payment) for n in (1, 4, 5, 7)])

    async def filled() -> bool:
        return await gaps() == []

    await eventually("the gaps are filled", filled, seconds=30)


async def test_the_command_line_proves_it_too(audit: Calls, producer: Producer, stack: Stack) -> None:
    await record(audit, producer, 3)
    _, report = verify_tool(stack)
    assert report["intact"] is True
    head = report["head"]
    assert verify_tool(stack, "--anchor", f"{head['seq']}:{head['hash']}")[1]["intact"] is True
    code, report = verify_tool(stack, "--anchor", f"{head['seq']}:{'ab' * 32}")
    assert (code, report["intact"]) == (1, False)


async def test_poison_holds_nothing_up(audit: Calls, producer: Producer) -> None:
    poison = Message("payment-events", b"p", b"no event")
    zero = event("test", 0, payment="p")
    await producer.send([poison, zero])
    payment = await record(audit, producer, 2)
    await producer.send([poison])
    assert (await audit.get("/events", payment_id=payment)).status_code == 200


async def test_only_auditors_operators_and_the_gateway_itself_may_read(audit: Calls) -> None:
    for path in ("/events", "/verify"):
        assert (await audit.get(path)).status_code == 200
        assert (await audit.get(path, actor="auditor")).status_code == 200
        assert (await audit.get(path, actor="operator")).status_code == 200
        assert (await audit.get(path, actor="customer")).status_code == 403
        assert (await audit.get(path, caller="confirm-service")).status_code == 403


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "x"},
        {"starting_after": "-1"},
        {"type": ""},
        {"type": "\0"},
    ],
)
async def test_bad_requests_are_told(audit: Calls, params: dict[str, str]) -> None:
    assert (await audit.get("/events", **params)).status_code == 422


async def test_the_services_role_can_only_append(audit: Calls, stack: Stack) -> None:
    host, port = stack.servers.postgres
    connection = await asyncpg.connect(
        host=host, port=port, database=stack.servers.database, user="audit", password="dev-audit"
    )
    try:
        for statement in (
            "UPDATE audit.events SET type = 'x'",
            "DELETE FROM audit.events",
            "TRUNCATE audit.events",
            "DELETE FROM audit.head",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
    assert (await audit.get("/ready")).status_code == 200
