"""python -m hack.bench.tracing: CPU per payment with and without tracing; writes a section of RESULTS.md.

Two stacks of ten processes beside each other on the same PostgreSQL and Redis, one of them recording every
trace. They take turns, payment by payment, so that whatever else the machine does meets both. CPU is what
the kernel counted for the services' processes, threads of the exporters included, until the audit trail has
all events and the spans are exported, less what idle services take in that time. Servers, load driver and
collector are not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import secrets
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import aiohttp
import asyncpg

from hack.bench.sections import replaced
from hack.dev import containers
from hack.dev.catalog import Servers
from hack.dev.stack import Stack

RESULTS = Path(__file__).parent / "RESULTS.md"
TITLE = "Cost of tracing"
PREFIX = "payments-tracing"
PORT_OFFSET = 3400
AT_ONCE = 4
IDLE_SECONDS = 15
BODY = {"currency": "USD", "from_account": "ACC003", "to_account": "ACC002", "amount": 100}


class Sink:
    """A collector that takes everything and looks at nothing."""

    def __init__(self) -> None:
        sink = self
        self.bytes = 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                sink.bytes += len(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing to tell."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


class Side:
    """One of the two stacks, with a customer who is signed in."""

    def __init__(self, stack: Stack, session: aiohttp.ClientSession, database: asyncpg.Connection) -> None:
        self._stack = stack
        self._session = session
        self._database = database

    async def idle(self, seconds: float) -> float:
        """CPU seconds per second of services that only poll and wait."""
        before = self.cpu()
        await asyncio.sleep(seconds)
        return (self.cpu() - before) / seconds

    def cpu(self) -> float:
        """CPU seconds of the services so far, all threads, to the nanosecond."""
        total = 0
        for name in self._stack.services:
            for task in Path(f"/proc/{self._stack.processes.pid(name)}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    async def pay(self) -> None:
        """One payment, created and confirmed. Raises RuntimeError when it does not succeed."""
        created = await self._post("/v1/payments", BODY, 201)
        done = await self._post(f"/v1/payments/{created['id']}/confirm", {}, 200)
        if done["status"] != "succeeded":
            raise RuntimeError(f"the payment did not succeed: {done}")

    async def _post(self, path: str, body: object, expected: int) -> dict[str, str]:
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        url = self._stack.url("api-gateway") + path
        async with self._session.post(url, json=body, headers=headers) as answer:
            if answer.status != expected:
                raise RuntimeError(f"{path}: {answer.status} {await answer.text()}")
            found: dict[str, str] = await answer.json()
            return found

    async def drained(self) -> None:
        """All events are in the audit trail; then what the exporters hold for 5 s."""
        until = time.monotonic() + 60
        while await self._database.fetchval(
            """SELECT EXISTS (SELECT FROM payments.outbox WHERE published_at IS NULL)
                   OR EXISTS (SELECT FROM accounts.outbox WHERE published_at IS NULL)
                   OR (SELECT count(*) FROM payments.outbox WHERE topic = 'payment-events')
                      > (SELECT count(*) FROM audit.events WHERE source = 'confirm-service')"""
        ):
            if time.monotonic() > until:
                raise RuntimeError("the events did not reach the audit trail within 60 s")
            await asyncio.sleep(0.1)
        await asyncio.sleep(5.5)


async def sign_in(stack: Stack) -> aiohttp.ClientSession:
    """A session with the demo customer's token."""
    credentials = {"username": "demo3", "password": "password123"}
    url = stack.url("api-gateway") + "/auth/login"
    async with aiohttp.ClientSession() as session, session.post(url, json=credentials) as answer:
        token = (await answer.json())["access_token"]
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"})


async def interleaved(sides: Sequence[Side], payments: int, idle: float) -> list[float]:
    """CPU milliseconds of each side for one payment; so many on each, one side after the other.

    Args:
        idle: CPU seconds per second that are taken off, for what goes on without payments.
    """
    before, began = [side.cpu() for side in sides], time.monotonic()
    turns = iter([side for _ in range(payments) for side in sides])

    async def work() -> None:
        for side in turns:
            await side.pay()

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    for side in sides:
        await side.drained()
    rest = idle * (time.monotonic() - began)
    return [(side.cpu() - cpu - rest) * 1000 / payments for side, cpu in zip(sides, before, strict=True)]


async def compare(on: Stack, off: Stack, pairs: int, payments: int) -> list[tuple[float, float]]:
    """CPU milliseconds for each payment (with, without tracing) of each pair of blocks."""
    sides = []
    for stack in (on, off):
        database = await asyncpg.connect(stack.admin_dsn())
        sides.append(Side(stack, await sign_in(stack), database))
    await interleaved(sides, payments, 0.0)  # warm
    idle = await sides[1].idle(IDLE_SECONDS)  # what tracing does besides counts as its cost
    sys.stdout.write(f"idle: {idle * 1000:.0f} ms/s\n")
    found = []
    for pair in range(pairs):
        with_, without = await interleaved(sides, payments, idle)
        found.append((with_, without))
        sys.stdout.write(f"{pair + 1}/{pairs}: {with_:.2f} / {without:.2f} ms = {with_ / without:.3f}\n")
        sys.stdout.flush()
    return found


def interval(values: list[float], *, seed: int = 1, rounds: int = 10_000) -> tuple[float, float]:
    """95 % bootstrap interval of the median."""
    chance = random.Random(seed)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(rounds))
    return medians[int(rounds * 0.025)], medians[int(rounds * 0.975)]


def report(pairs: list[tuple[float, float]], payments: int) -> list[str]:
    """The section's lines."""
    ratios = [on / off for on, off in pairs]
    low, high = interval(ratios)
    with_, without = (statistics.median(column) for column in zip(*pairs, strict=True))
    return [
        f"CPU of the ten services for one payment, created and confirmed (low risk, {AT_ONCE} at once),",
        f"every trace recorded and exported; {len(pairs)} pairs of {payments} payments, both sides taking",
        "turns payment by payment:",
        "`python -m hack.bench.tracing`.",
        "",
        "| With tracing | Without | Median ratio | 95 % interval |",
        "|---|---|---|---|",
        f"| {with_:.2f} ms | {without:.2f} ms | {statistics.median(ratios):.3f} | {low:.3f} to {high:.3f} |",
    ]


def start(folder: Path, servers: Servers, offset: int, endpoint: str) -> Stack:
    """A stack with a database of its own."""
    name = "traced" if endpoint else "untraced"
    stack = Stack(
        folder / name,
        Servers(servers.postgres, servers.redis, servers.kafka, f"bench_{name}_{secrets.token_hex(3)}"),
        offset=offset,
        log_folder=folder / f"{name}-logs",
        variables={"RATE_LIMIT_REQUESTS": "100000000", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint},
    )
    stack.prepare()
    stack.start()
    return stack


def main() -> int:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench.tracing", description=__doc__)
    parser.add_argument("--pairs", type=int, default=20, help="pairs of blocks (20)")
    parser.add_argument("--payments", type=int, default=200, help="payments of a block (200)")
    parser.add_argument("--output", type=Path, default=RESULTS, help=f"the report ({RESULTS.name})")
    arguments = parser.parse_args()
    sink = Sink()
    stacks: list[Stack] = []
    with tempfile.TemporaryDirectory() as folder:
        servers = containers.start(PREFIX, offset=PORT_OFFSET)
        # Consumers of one group would share the events of both stacks.
        other = containers.start(f"{PREFIX}-off", offset=PORT_OFFSET + 100, only=("kafka",)).kafka
        try:
            stacks.append(start(Path(folder), servers, PORT_OFFSET, sink.url))
            stacks.append(start(Path(folder), replace(servers, kafka=other), PORT_OFFSET + 100, ""))
            pairs = asyncio.run(compare(stacks[0], stacks[1], arguments.pairs, arguments.payments))
        finally:
            for stack in stacks:
                stack.stop()
            containers.stop(PREFIX)
            containers.stop(f"{PREFIX}-off")
    if not sink.bytes:
        raise RuntimeError("no span was exported")
    lines = report(pairs, arguments.payments)
    arguments.output.write_text(replaced(arguments.output.read_text(), TITLE, lines))
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
