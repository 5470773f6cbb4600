"""A real kube-apiserver and etcd, the operator as a process, and controllers that only write status.

`SOAK=1` takes the full sizes, `SEED` repeats a run. What the processes said stays in build/controlplane, with
the figures that the tests measured.
"""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hack.controlplane.api import Api
from hack.controlplane.audit import Audit
from hack.controlplane.controllers import Controllers
from hack.controlplane.install import install
from hack.controlplane.servers import ControlPlane

FOLDER = Path(__file__).parents[2] / "build/controlplane"
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


@pytest.fixture
def audit(plane: ControlPlane) -> Audit:
    """What operators ask from now on."""
    audit = Audit(plane.audit_log)
    audit.mark()
    return audit
