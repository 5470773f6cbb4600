"""Requests with an Idempotency-Key that are one transaction: done once, answered alike ever after."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from payments.common.db import Database
from payments.common.errors import Problem
from payments.confirm.answers import Answer
from payments.confirm.idempotency import Key

if TYPE_CHECKING:
    Connection = PoolConnectionProxy[asyncpg.Record]
else:  # generic for the type checker only
    Connection = PoolConnectionProxy

# A customer's changes take turns, so that limits hold and a key is never used twice at a time.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('webhooks ' || $1, 0))"
_RECALL = "SELECT outcome, status_code, body FROM payments.recall($1, $2, $3, $4)"
_KEEP = """
    INSERT INTO payments.idempotency_keys
        (owner, route, key, fingerprint, subject, answer_status, answer_body)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""


class Done(NamedTuple):
    """What was done: the id of what it was done to, and the final answer."""

    subject: str
    status: int
    body: bytes


Work = Callable[[Connection], Awaitable[Done]]


async def lock(connection: Connection, customer: str) -> None:
    """Make the customer's other changes wait until this transaction ends."""
    await connection.execute(_LOCK, customer)


async def once(database: Database, key: Key, work: Work) -> Answer:
    """The answer of `work`, which is done at most once for a key; nothing is kept when it raises.

    Raises:
        Problem: idempotency_key_reused, service_unavailable, or what `work` raises.
    """
    async with database.transaction() as connection:
        await lock(connection, key.owner)
        known = await connection.fetchrow(_RECALL, key.owner, key.route, key.key, key.fingerprint)
        assert known is not None
        if known["outcome"] == "key_reused":
            raise Problem("idempotency_key_reused")
        if known["outcome"] == "replay":
            return Answer(known["status_code"], known["body"].encode(), replayed=True)
        done = await work(connection)
        await connection.execute(
            _KEEP,
            key.owner,
            key.route,
            key.key,
            key.fingerprint,
            done.subject,
            done.status,
            done.body.decode(),
        )
    return Answer(done.status, done.body)
