"""A real kube-apiserver and etcd, the operator as a process, and controllers that only write status.

`SOAK=1` takes the full sizes, `SEED` repeats a run. What the processes said stays in build/controlplane, with
the figures that the tests measured.
"""

import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from hack.controlplane.api import Api
from hack.controlplane.audit import Audit
from hack.controlplane.controllers import Controllers
from hack.controlplane.install import install
from hack.controlplane.leaders import Takeover, group, lease_rights, take_over
from hack.controlplane.servers import ControlPlane

FOLDER = Path(__file__).parents[2] / "build/controlplane" / os.environ.get("PYTEST_XDIST_WORKER", "one")
FIGURES = FOLDER / "figures.json"
Note = Callable[[str], None]


@pytest.fixture(scope="session")
def soak() -> bool:
    """Whether the sizes are the full ones."""
    return os.environ.get("SOAK", "") not in ("", "0")


@pytest.fixture(scope="session")
def seed() -> int:
    """Of all choices; printed."""
    chosen = int(os.environ.get("SEED") or secrets.randbelow(10**6))
    sys.stdout.write(f"\nseed={chosen}\n")
    return chosen


@pytest.fixture(scope="session")
def figures() -> Iterator[dict[str, list[str]]]:
    """What was measured, by the test's name; kept for the report."""
    figures: dict[str, list[str]] = {}
    yield figures
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


@pytest.fixture
def note(request: pytest.FixtureRequest, figures: dict[str, list[str]]) -> Note:
    """Tell a figure: on stdout and in the report."""

    def tell(text: str) -> None:
        sys.stdout.write(f"\n{request.node.name}: {text}\n")
        figures.setdefault(request.node.originalname, []).append(text)

    return tell


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    """etcd and kube-apiserver; their data goes at the end, their logs stay."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    plane = ControlPlane(FOLDER)
    plane.start()
    try:
        yield plane
    finally:
        plane.stop()
        shutil.rmtree(FOLDER / "etcd", ignore_errors=True)


@pytest.fixture(scope="session")
def api(plane: ControlPlane) -> Iterator[Api]:
    """A person's requests; CRD and rights are installed, and what is declared counts as running."""
    with Api(plane) as api, Controllers(plane):
        install(api)
        yield api


@pytest.fixture(scope="session")
def takeovers(plane: ControlPlane, api: Api) -> Iterator[Mapping[signal.Signals, Future[Takeover]]]:
    """Leaders that are ended in several ways at the same time, for most of it is waiting."""
    ways = (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM)
    groups = {}
    for position, how in enumerate(ways):
        namespace = f"leading-{how.name.lower()}"
        api.namespace(namespace)
        lease_rights(api, namespace)
        groups[how] = group(plane, namespace, [2 + 2 * position, 3 + 2 * position])
    with ExitStack() as stack, ThreadPoolExecutor(len(ways)) as pool:
        for operators in groups.values():
            for operator in operators:
                stack.enter_context(operator)
        yield {
            how: pool.submit(take_over, plane, api, f"leading-{how.name.lower()}", operators, how)
            for how, operators in groups.items()
        }


@pytest.fixture
def audit(plane: ControlPlane) -> Audit:
    """What operators ask from now on."""
    audit = Audit(plane.audit_log)
    audit.mark()
    return audit
