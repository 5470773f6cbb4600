"""make bench-operator: what the operator does and costs against a real API server; writes OPERATOR.md.

Runs `tests/controlplane` for the figures of each behaviour, takes those of `tests/e2e` and `tests/chaos` as
the last runs left them, then installs as many platforms as asked for. There no pods run, so the seconds are
the operator's own. What was not measured again stays: operator-figures.json keeps it with its commit.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hack.bench.sections import replaced, section
from hack.controlplane.api import Api
from hack.controlplane.behaviours import BEHAVIOURS, Behaviour
from hack.controlplane.controllers import Controllers
from hack.controlplane.install import install
from hack.controlplane.operators import REPOSITORY
from hack.controlplane.scale import Figures, measure, percentile
from hack.controlplane.servers import ControlPlane
from hack.progress import say, step

RESULT = Path(__file__).parent / "OPERATOR.md"
#: All figures of the report, by test: what it told, and at which commit.
KEPT = Path(__file__).parent / "operator-figures.json"
SCALE_TITLE = "Many platforms on one operator"
Kept = dict[str, dict[str, Any]]
FIGURES, SCALE = REPOSITORY / "build/controlplane", REPOSITORY / "build/operator-scale"
#: Of the tests that need pods: the last ones on this machine.
E2E_FIGURES = REPOSITORY / "build/e2e/figures.json"
SIZES = (1, 10, 100, 300)
COLUMNS = (
    "Platforms",
    "Ready p50 / p95 / last, s",
    "CPU s each",
    "Calls to install",
    "Calls of a full pass",
    "Child deleted: back p50 / p95, s",
    "the same beside a failing platform",
    "MiB empty / full / peak",
)


def main() -> int:
    """Measure everything and write the report; 1 when a test failed."""
    parser = argparse.ArgumentParser(prog="make bench-operator", description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=SIZES, help="numbers of platforms (1 10 100 300)"
    )
    parser.add_argument("--seed", type=int, help="repeat a run")
    parser.add_argument("--keep-figures", action="store_true", help="add to what was measured before")
    parser.add_argument("--output", type=Path, default=RESULT, help=f"where the report goes ({RESULT.name})")
    arguments = parser.parse_args()
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    failed = 0
    if not arguments.keep_figures:
        for folder in (FIGURES, SCALE):
            shutil.rmtree(folder, ignore_errors=True)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "2",
            "--dist",
            "loadfile",
            "tests/controlplane",
        ]
        failed = subprocess.run(
            command, cwd=REPOSITORY, env=os.environ | {"SEED": str(seed)}, check=False
        ).returncode
    _scale(arguments.sizes, seed)
    fresh: dict[str, list[str]] = {}
    for part in [*FIGURES.glob("*/figures.json"), *E2E_FIGURES.parent.glob(E2E_FIGURES.name)]:
        fresh |= json.loads(part.read_text())
    commit = _commit()
    figures = merged(json.loads(KEPT.read_text()) if KEPT.exists() else {}, fresh, commit)
    KEPT.write_text(json.dumps(figures, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    text = report(figures, commit, failed=bool(failed))
    measured = [Figures(**json.loads(part.read_text())) for part in SCALE.glob("*.json")]
    before = arguments.output.read_text() if arguments.output.exists() else ""
    lines = scale(sorted(measured, key=lambda item: item.platforms)) or section(before, SCALE_TITLE)
    arguments.output.write_text(replaced(text, SCALE_TITLE, lines))
    say(f"written: {arguments.output}")
    return 1 if failed else 0


def _scale(sizes: Sequence[int], seed: int) -> None:
    """Each size on a fresh control plane, one after the other; kept, so that an interrupted run goes on."""
    SCALE.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        folder = Path(tempfile.mkdtemp(prefix="controlplane-"))
        plane = ControlPlane(folder)
        try:
            with step(f"{size} platforms"):
                plane.start()
                with Api(plane) as api, Controllers(plane):
                    install(api)
                    found = measure(plane, api, size, seed=seed)
            (SCALE / f"{size}.json").write_text(json.dumps(asdict(found)) + "\n")
        finally:
            plane.stop()
            shutil.rmtree(folder, ignore_errors=True)


def merged(kept: Kept, fresh: Mapping[str, Sequence[str]], commit: str) -> Kept:
    """The figures with those that are new, of this commit; one that says the same is not new."""
    new = {
        name: {"commit": commit, "told": list(told)}
        for name, told in fresh.items()
        if kept.get(name, {}).get("told") != list(told)
    }
    return kept | new


def report(figures: Kept, commit: str, *, failed: bool) -> str:
    """The behaviours and their figures as Markdown."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    load = os.getloadavg()[2]
    lines = [
        "# The operator: what it does and what it costs",
        "",
        f"Written by `make bench-operator` on {day} at commit {commit},",
        f"{machine}, 15-minute load {load:.0f} at the end.",
        "In `tests/controlplane` the operator runs as a process against a real kube-apiserver and etcd;",
        "calls and writes are counted in the API server's audit log. No pods run: Deployments, StatefulSets",
        "and Jobs count as ready at once, so the seconds are the operator's; they depend on the machine,",
        "counts do not. `tests/e2e` runs on a kind cluster with all pods, `tests/chaos` on three nodes.",
        "Behind a figure of an earlier run stands its commit.",
        *(["", "**Some tests failed in this run.**"] if failed else []),
        "",
        "## Behaviours",
        "",
        "| | Behaviour | Held by | Measured |",
        "|---|---|---|---|",
        *(_behaviour(item, figures, commit) for item in BEHAVIOURS),
        "",
    ]
    return "\n".join(lines)


def _behaviour(item: Behaviour, figures: Kept, commit: str) -> str:
    held = "; ".join(f"`{name}`" for name in item.tests)
    names = (name.rpartition("::")[2] for name in item.tests)
    told = "; ".join(_told(figures[name], commit) for name in names if name in figures)
    return f"| {item.number} | {item.text} | {held} | {told.replace('|', '/')} |"


def _told(figure: Mapping[str, Any], commit: str) -> str:
    earlier = "" if figure["commit"] == commit else f" ({figure['commit']})"
    return "; ".join(figure["told"]) + earlier


def scale(measured: Sequence[Figures]) -> list[str]:
    """The lines about many platforms; none when nothing was measured."""
    if not measured:
        return []
    return [
        "All declared at once; four workers. Calls are for each platform; a full pass is the one that an",
        "operator begins with. Memory is the operator's own (Pss): empty, after the install, and its peak.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(item) for item in measured),
    ]


def _row(item: Figures) -> str:
    ready = f"{percentile(item.ready, 0.5):.0f} / {percentile(item.ready, 0.95):.0f} / {max(item.ready):.0f}"
    calls = [
        ", ".join(f"{verb} {number:.0f}" for verb, number in found.items())
        for found in (item.install_calls, item.resync_calls)
    ]
    repairs = [
        f"{percentile(found, 0.5):.1f} / {percentile(found, 0.95):.1f}"
        for found in (item.repair, item.repair_beside_failing)
    ]
    memory = f"{item.memory_empty:.0f} / {item.memory:.0f} / {item.memory_peak:.0f}"
    cells = [str(item.platforms), ready, f"{item.cpu:.1f}", *calls, *repairs, memory]
    return f"| {' | '.join(cells)} |"


def _commit() -> str:
    command = ["git", "-C", str(REPOSITORY), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=10).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
