"""Ways to tamper with the audit trail, for one who may do anything in the database and knows how it works."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import TypeAlias

import asyncpg

from payments.audit.domain import GENESIS, Fact, Head, extend

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

EDITS = {
    "event_id": "event_id || 'x'",
    "payment_id": "coalesce(payment_id, '') || 'x'",
    "customer_id": "coalesce(customer_id, '') || 'x'",
    "source": "'account-servicf'",
    "source_sequence": "source_sequence + 1000000",
    "type": "type || '.x'",
    "time": "time + interval '1 microsecond'",
    "payload": "(payload::text || ' ')::json",
    "prev_hash": "reverse(prev_hash)",
    "hash": "reverse(hash)",
}


async def edit(connection: Connection, dice: random.Random, last: int) -> str:
    """One column of one entry."""
    column = dice.choice(sorted(EDITS))
    seq = dice.randint(2, last)  # the first entry's prev_hash is the same backwards
    await connection.execute(f"UPDATE audit.events SET {column} = {EDITS[column]} WHERE seq = $1", seq)
    return f"{column} of {seq}"


async def swap(connection: Connection, dice: random.Random, last: int) -> str:
    """Two entries change places."""
    first, second = sorted(dice.sample(range(1, last + 1), 2))
    for old, new in ((first, last + 1), (second, first), (last + 1, second)):
        await connection.execute("UPDATE audit.events SET seq = $2 WHERE seq = $1", old, new)
    return f"{first} and {second}"


async def delete(connection: Connection, dice: random.Random, last: int) -> str:
    """One entry is gone; those behind it close the gap, or not."""
    seq, close = dice.randint(1, last), dice.random() < 0.5
    await connection.execute("DELETE FROM audit.events WHERE seq = $1", seq)
    if close:
        # Twice, so that no two entries ever have the same number.
        await connection.execute("UPDATE audit.events SET seq = seq + 1000000000 WHERE seq > $1", seq)
        await connection.execute("UPDATE audit.events SET seq = seq - 1000000001 WHERE seq > 1000000000")
        await _note(connection)
    return f"{seq}, gap {'closed' if close else 'left'}"


async def truncate(connection: Connection, dice: random.Random, last: int) -> str:
    """The end is cut off; the noted head moves with it, or not."""
    seq, noted = dice.randint(1, last), dice.random() < 0.5
    await connection.execute("DELETE FROM audit.events WHERE seq >= $1", seq)
    if noted:
        await _note(connection)
    return f"from {seq}, head {'moved' if noted else 'left'}"


async def rewrite(connection: Connection, dice: random.Random, last: int) -> str:
    """An entry is edited and everything from it on gets new hashes, the head too: whole in itself."""
    seq = dice.randint(1, last)
    return await rewrite_from(connection, seq)


async def rewrite_from(connection: Connection, seq: int) -> str:
    """All hashes anew from `seq` on, where the type is another one now."""
    await connection.execute("UPDATE audit.events SET type = type || '.x' WHERE seq = $1", seq)
    rows = await connection.fetch(
        "SELECT *, payload::text AS text FROM audit.events WHERE seq >= $1 ORDER BY seq", seq
    )
    before = await connection.fetchval("SELECT hash FROM audit.events WHERE seq = $1", seq - 1)
    facts = [
        Fact(
            event_id=row["event_id"],
            payment_id=row["payment_id"],
            customer_id=row["customer_id"],
            source=row["source"],
            source_sequence=row["source_sequence"],
            type=row["type"],
            time=row["time"].astimezone(UTC),
            payload=row["text"],
        )
        for row in rows
    ]
    entries = extend(Head(seq - 1, before or GENESIS), facts)
    await connection.execute(
        "UPDATE audit.events AS e SET prev_hash = n.prev_hash, hash = n.hash"
        " FROM unnest($1::bigint[], $2::text[], $3::text[]) AS n(seq, prev_hash, hash) WHERE n.seq = e.seq",
        [entry.seq for entry in entries],
        [entry.prev_hash for entry in entries],
        [entry.hash for entry in entries],
    )
    await _note(connection)
    return f"from {seq}"


async def _note(connection: Connection) -> None:
    await connection.execute("DELETE FROM audit.head")
    await connection.execute(
        "INSERT INTO audit.head (seq, hash)"
        " SELECT coalesce(max(seq), 0),"
        "     coalesce((SELECT hash FROM audit.events ORDER BY seq DESC LIMIT 1), $1)"
        " FROM audit.events",
        GENESIS,
    )


Way = Callable[[Connection, random.Random, int], Awaitable[str]]
WAYS: dict[str, Way] = {
    "edit": edit,
    "swap": swap,
    "delete": delete,
    "truncate": truncate,
    "rewrite": rewrite,
}
