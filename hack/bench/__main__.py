"""make bench: measure the running cluster and this machine's processes; writes hack/bench/RESULTS.md.

Needs `make up` before. Times are of the machine at hand: compare ratios, not seconds, between machines.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg

from hack.bench import cluster as measured
from hack.bench import memory, tracing
from hack.bench.budget import SCENARIOS, Budget, measure
from hack.bench.sections import replaced, section
from hack.bench.startup import startup
from hack.dev import containers
from hack.dev.stack import Stack
from hack.kubectl import Cluster
from hack.progress import step
from hack.up import REPOSITORY

RESULTS = Path(__file__).parent / "RESULTS.md"
PREFIX = "payments-bench"
PORT_OFFSET = 3000


def main() -> int:
    """Measure everything and write the report."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=RESULTS, help=f"where the report goes ({RESULTS.name})"
    )
    arguments = parser.parse_args()
    cluster = Cluster.from_environment()
    references: dict[str, str] = json.loads(_hack("hack.images", "refs"))
    references |= json.loads(_hack("hack.images", "refs", "observability"))
    tag = _hack("hack.images", "tag").strip()
    with step("memory at rest and after a load"):  # before there is a second platform
        used = memory.lines(memory.measure(cluster))
    with step("time to Ready of a fresh platform"):
        ready = measured.seconds_to_ready(cluster, tag)
    with step("budget and start-up times"):
        budgets, started = _local()
    sizes = measured.image_sizes(references.values())
    text = report(ready, used, budgets, started, sizes)
    before = arguments.output.read_text() if arguments.output.exists() else ""
    if cost := section(before, tracing.TITLE):  # measured by itself
        text = replaced(text, tracing.TITLE, cost)
    arguments.output.write_text(text)
    print(arguments.output.read_text())
    return 0


def _local() -> tuple[dict[str, Budget], dict[str, tuple[float, float]]]:
    with tempfile.TemporaryDirectory() as folder:
        servers = containers.start(PREFIX, offset=PORT_OFFSET)
        stack = Stack(
            Path(folder) / "identity",
            servers,
            offset=PORT_OFFSET,
            log_folder=Path(folder) / "logs",
            variables={"RATE_LIMIT_REQUESTS": "1000000", "LOG_LEVEL": "DEBUG"},
        )
        try:
            stack.prepare()
            started = startup(stack)
            stack.start()
            return asyncio.run(_budget(stack)), started
        finally:
            stack.stop()
            containers.stop(PREFIX)


async def _budget(stack: Stack) -> dict[str, Budget]:
    async with asyncpg.create_pool(stack.admin_dsn(), min_size=1, max_size=2) as pool:
        return {scenario.name: await measure(stack, pool, scenario) for scenario in SCENARIOS}


def report(
    ready: float,
    used: list[str],
    budgets: dict[str, Budget],
    started: dict[str, tuple[float, float]],
    sizes: dict[str, float],
) -> str:
    """The figures as Markdown."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    lines = [
        "# Results",
        "",
        f"Written by `make bench` on a machine with {machine}. Seconds depend on the machine; counts do not.",
        "",
        "## From `kubectl apply` to Ready",
        "",
        f"{ready:.0f} s for a minimal dev platform beside a running one, images loaded.",
        "",
        "## One warm confirmation",
        "",
        *(line for name, budget in budgets.items() for line in budget_table(name, budget)),
        f"## {memory.TITLE}",
        "",
        *used,
        "",
        "## Start-up: process start to the first answer",
        "",
        "| Service | Seconds | Times `python -c pass` |",
        "|---|---|---|",
        *(f"| {name} | {seconds:.2f} | {ratio:.0f} |" for name, (seconds, ratio) in started.items()),
        "",
        "## Images (uncompressed)",
        "",
        "| Image | MB |",
        "|---|---|",
        *(f"| {_short(name)} | {value:.0f} |" for name, value in sizes.items()),
        "",
    ]
    return "\n".join(lines)


def budget_table(name: str, budget: Budget) -> list[str]:
    """What one kind of payment costs, as Markdown."""
    return [
        f"### {name[0].upper()}{name[1:]}",
        "",
        "| Counted | For each payment | Where |",
        "|---|---|---|",
        _row("HTTP requests", budget.requests),
        _row("database calls", budget.statements),
        _row("Redis calls", budget.redis_commands),
        "",
    ]


def _row(name: str, counts: dict[str, float]) -> str:
    where = "; ".join(
        f"{' '.join(key.split())[:90]} ({count:.1f})" for key, count in counts.items() if count >= 0.05
    )
    return f"| {name} | {sum(counts.values()):.1f} | {where.replace('|', '/')} |"


def _short(reference: str) -> str:
    name, _, tag = reference.rpartition(":")
    return name if name.startswith("payment-platform/") else f"{name}:{tag}"


def _hack(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, check=True, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
