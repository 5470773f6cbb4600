"""One platform for all suites, with proxies before its dependencies. See tests/support/faults.

FAULTS_SEED repeats a run, FAULTS_SIZE=soak makes it large, TEST_PORT_OFFSET moves its ports.
"""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.support.faults.sizes import Sizes, rng, seed, sizes
from tests.support.faults.system import Platform, platform

PORT_OFFSET = int(os.environ.get("TEST_PORT_OFFSET", "4000")) + 40
SEED = seed()


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
def report(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[dict[str, Any]]:
    """What the run counted; printed at its end, with the seed."""
    counts: dict[str, Any] = {}
    yield counts
    with capsys.disabled():
        told = " ".join(f"{name}={value}" for name, value in counts.items())
        sys.stdout.write(f"\n{request.node.name}: seed={SEED} {told}\n")
