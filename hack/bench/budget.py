"""What one warm, on-us, low-risk confirmation costs, counted by the servers themselves.

Counted, not timed: the services' request logs, pg_stat_statements and Redis' commandstats.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from redis.asyncio import Redis

from hack.dev.identity import REDIS_PASSWORD
from hack.dev.stack import Stack

# What goes on without payments, too: relays, janitor, probes, pollers.
_BACKGROUND = ("outbox", "advisory", "pg_stat_statements", "alembic_version", "SKIP LOCKED")
# Roles of the services on the way of a payment; the others follow by Kafka.
_ROLES = ["gateway", "payments", "accounts", "kyc", "ofac"]
_REQUEST = "budget-"


@dataclass
class Budget:
    """Calls for one confirmation; the dictionaries tell who made them."""

    requests: dict[str, float] = field(default_factory=dict)
    statements: dict[str, float] = field(default_factory=dict)
    redis_commands: dict[str, float] = field(default_factory=dict)


async def measure(stack: Stack, database: asyncpg.Pool[asyncpg.Record], *, payments: int = 40) -> Budget:
    """Confirm `payments` payments one after another and count. The stack must log at DEBUG level.

    Raises:
        RuntimeError: a payment did not succeed, so that the counts mean nothing.
    """
    await database.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    host, port = stack.servers.redis
    redis = Redis(host=host, port=port, password=REDIS_PASSWORD, decode_responses=True)
    gateway = stack.url("api-gateway")
    async with httpx.AsyncClient(base_url=gateway, timeout=30) as client:
        answer = await client.post("/auth/login", json={"username": "demo3", "password": "password123"})
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        ids = [await _create(client, number) for number in range(payments + 3)]
        for payment in ids[:3]:  # warm connections, caches and tokens
            await _confirm(client, payment)
        offsets = {name: _log(stack, name).stat().st_size for name in stack.services}
        statements = await _statements(database)
        commands = await _commands(redis)
        for payment in ids[3:]:
            await _confirm(client, payment)
        after = await _statements(database)
        commands_after = await _commands(redis)
    await redis.aclose()
    requests = {name: _requests(_log(stack, name), offset) / payments for name, offset in offsets.items()}
    return Budget(
        requests={name: count for name, count in requests.items() if count},
        statements=_each(statements, after, payments),
        redis_commands=_each(commands, commands_after, payments),
    )


def _each(before: dict[str, int], after: dict[str, int], payments: int) -> dict[str, float]:
    """Growth for one payment; what grows more slowly than every other payment is background."""
    grown = {name: (count - before.get(name, 0)) / payments for name, count in after.items()}
    return {name: count for name, count in grown.items() if count >= 0.5}


async def _create(client: httpx.AsyncClient, number: int) -> str:
    body = {"amount": 100 + number, "currency": "USD", "from_account": "ACC003", "to_account": "ACC002"}
    answer = await client.post("/v1/payments", json=body, headers={"Idempotency-Key": f"budget-{number}"})
    if answer.status_code != 201:
        raise RuntimeError(f"create: {answer.status_code} {answer.text}")
    payment: str = answer.json()["id"]
    return payment


async def _confirm(client: httpx.AsyncClient, payment: str) -> None:
    headers = {"Idempotency-Key": f"confirm-{payment}", "X-Request-Id": f"{_REQUEST}{payment}"}
    answer = await client.post(f"/v1/payments/{payment}/confirm", json={}, headers=headers)
    if answer.status_code != 200 or answer.json()["status"] != "succeeded":
        raise RuntimeError(f"confirm: {answer.status_code} {answer.text}")


async def _statements(database: asyncpg.Pool[asyncpg.Record]) -> dict[str, int]:
    rows = await database.fetch(
        """SELECT r.rolname || ': ' || s.query AS name, sum(s.calls)::bigint AS calls
           FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
           WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND r.rolname = ANY($1) GROUP BY 1""",
        _ROLES,
    )
    return {row["name"]: row["calls"] for row in rows if not any(word in row["name"] for word in _BACKGROUND)}


async def _commands(redis: Any) -> dict[str, int]:
    stats: dict[str, dict[str, int]] = await redis.info("commandstats")
    return {
        name.removeprefix("cmdstat_"): stat["calls"]
        for name, stat in stats.items()
        # The gateway speaks to Redis by scripts alone; commands inside a script are no round trips.
        if name in ("cmdstat_evalsha", "cmdstat_eval")
    }


def _log(stack: Stack, service: str) -> Path:
    folder = stack.processes.log_folder
    if folder is None:
        raise RuntimeError("the stack must write its logs into files")
    return folder / f"{service}.log"


def _requests(log: Path, offset: int) -> int:
    with log.open("rb") as lines:
        lines.seek(offset)
        events = (json.loads(line) for line in lines if line.startswith(b"{"))
        # By the request's id: what notification and audit ask afterwards is not on the way of the payment.
        return sum(
            event["message"] == "request" and event.get("request_id", "").startswith(_REQUEST)
            for event in events
        )
