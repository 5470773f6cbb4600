"""What one warm confirmation costs, counted by the servers themselves; one scenario for each kind of payment.

Counted, not timed: the services' request logs, pg_stat_statements and Redis' commandstats. What follows by
Kafka (notification, audit, webhooks) is not on the way of the payment and not counted.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from redis.asyncio import Redis

from hack.dev.identity import REDIS_PASSWORD
from hack.dev.stack import Stack

# What goes on without payments, too: relays, janitor, probes, pollers.
_BACKGROUND = (
    *("outbox", "advisory", "pg_stat_statements", "alembic_version", "SKIP LOCKED"),
    *("alert_stuck", "processing_since <", "webhook", "ofac.state", "SELECT now()", "extract($"),
)
# Roles of the services on the way of a payment. notification-service is left out: beside sending the password
# it follows the events of the same payments.
_ROLES = ["gateway", "payments", "accounts", "kyc", "ofac", "otp", "bank"]
_REQUEST = "budget-"


@dataclass
class Budget:
    """Calls for one confirmation; the dictionaries tell who made them."""

    requests: dict[str, float] = field(default_factory=dict)
    statements: dict[str, float] = field(default_factory=dict)
    redis_commands: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """A kind of payment: what is sent to create it, and how often it is made.

    `password` is True when it is confirmed in two requests, the second with the one-time password.
    """

    name: str
    body: dict[str, Any]
    payments: int
    password: bool = False


_FROM = {"currency": "USD", "from_account": "ACC003"}
LOW = Scenario("on-us, low risk", _FROM | {"to_account": "ACC002", "amount": 100}, 40)
OFF_US = Scenario(
    "to another bank, low risk",
    _FROM
    | {"to_account": "9876543210", "to_routing_number": "021000021", "to_name": "Wilma Aldergrove"}
    | {"amount": 100},
    12,
)
HIGH = Scenario(
    "on-us, high risk, in two requests with a one-time password",
    _FROM | {"to_account": "ACC002", "amount": 10_000_01},
    6,
    password=True,
)
SCENARIOS = (LOW, OFF_US, HIGH)
WARMING = 2


async def measure(stack: Stack, database: asyncpg.Pool[asyncpg.Record], scenario: Scenario = LOW) -> Budget:
    """Confirm the scenario's payments one after another and count. The stack must log at DEBUG level.

    Raises:
        RuntimeError: a payment did not succeed, so that the counts mean nothing.
    """
    await database.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    host, port = stack.servers.redis
    redis = Redis(host=host, port=port, password=REDIS_PASSWORD, decode_responses=True)
    payments = scenario.payments
    async with httpx.AsyncClient(base_url=stack.url("api-gateway"), timeout=30) as client:
        answer = await client.post("/auth/login", json={"username": "demo3", "password": "password123"})
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        ids = [await _create(client, scenario) for _ in range(payments + WARMING)]
        for payment in ids[:WARMING]:  # warm connections, caches and tokens
            await _confirm(client, stack, scenario, payment)
        offsets = {name: _log(stack, name).stat().st_size for name in stack.services}
        statements = await _statements(database)
        commands = await _commands(redis)
        for payment in ids[WARMING:]:
            await _confirm(client, stack, scenario, payment)
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
    """Growth for one payment; what does not grow with each is background."""
    grown = {name: (count - before.get(name, 0)) / payments for name, count in after.items()}
    return {name: count for name, count in grown.items() if count >= 0.9}


async def _create(client: httpx.AsyncClient, scenario: Scenario) -> str:
    headers = {"Idempotency-Key": secrets.token_hex(16)}
    answer = await client.post("/v1/payments", json=scenario.body, headers=headers)
    if answer.status_code != 201:
        raise RuntimeError(f"create: {answer.status_code} {answer.text}")
    payment: str = answer.json()["id"]
    return payment


async def _confirm(client: httpx.AsyncClient, stack: Stack, scenario: Scenario, payment: str) -> None:
    path = f"/v1/payments/{payment}/confirm"
    headers = {"Idempotency-Key": f"confirm-{payment}", "X-Request-Id": f"{_REQUEST}{payment}"}
    answer = await client.post(path, json={}, headers=headers)
    if scenario.password and answer.status_code == 200 and answer.json()["status"] == "requires_action":
        answer = await client.post(path, json={"otp": await _password(client, stack)}, headers=headers)
    if answer.status_code != 200 or answer.json()["status"] != "succeeded":
        raise RuntimeError(f"confirm: {answer.status_code} {answer.text}")


async def _password(client: httpx.AsyncClient, stack: Stack) -> str:
    """The newest one that the sandbox sent to the demo customer; asked under another request id."""
    url = f"{stack.url('notification-service')}/sandbox/messages"
    answer = await client.get(url, params={"to": "cust_003"}, headers={"Authorization": ""})
    found = re.findall(r"\b[0-9]{6}\b", " ".join(message["body"] for message in answer.json()["messages"]))
    if not found:
        raise RuntimeError("the sandbox keeps no one-time password")
    return str(found[0])


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
