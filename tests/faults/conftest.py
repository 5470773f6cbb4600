"""One platform for all suites, with proxies before its dependencies. See tests/support/faults.

FAULTS_SEED repeats a run, FAULTS_SIZE=soak makes it large, TEST_PORT_OFFSET moves its ports.
With `pytest -n 2` there are two platforms, and each takes suite after suite.
"""

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.support.faults.sizes import Sizes, rng, seed, sizes
from tests.support.faults.system import Platform, platform

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORT_OFFSET = int(os.environ.get("TEST_PORT_OFFSET", "4000")) + 40 + 500 * WORKER
SEED = seed()
_TOLD = "faults"


@pytest.fixture(scope="session")
def size() -> Sizes:
    """CI's sizes or the soak's."""
    return sizes()


@pytest.fixture(scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """The platform, started."""
    folder = tmp_path_factory.mktemp("faults")
    async with platform(folder, f"payments-faults-{PORT_OFFSET}", PORT_OFFSET, rng("proxies", SEED)) as made:
        yield made


@pytest.fixture
async def system(running: Platform) -> AsyncIterator[Platform]:
    """The platform, whole again after each test."""
    running.told.undocumented.clear()
    running.told.statuses.clear()
    yield running
    await running.heal()


@pytest.fixture
def report() -> dict[str, Any]:
    """What the run counted; printed when all have ended, with the seed."""
    return {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001  the hook's signature
) -> Iterator[None] | pytest.TestReport:
    """Send the counts along with the outcome: workers have no terminal."""
    made: pytest.TestReport = yield  # type: ignore[misc, assignment]
    counts = getattr(item, "funcargs", {}).get("report")
    if made.when == "call" and counts is not None:
        told = " ".join(f"{name}={value}" for name, value in counts.items())
        made.user_properties.append((_TOLD, f"{item.name}: seed={SEED} {told}"))
    return made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The counts of all runs."""
    for outcome in ("passed", "failed"):
        for made in terminalreporter.getreports(outcome):
            for name, told in made.user_properties:
                if name == _TOLD:
                    terminalreporter.write_line(str(told))
