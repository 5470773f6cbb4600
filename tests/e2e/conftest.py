"""The cluster of `make up`. A failing test leaves events, logs and status in build/e2e/<test>."""

import base64
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import httpx
import pytest
from joserfc.jwk import RSAKey
from xdist.scheduler import LoadScopeScheduling

from hack.client import Client
from hack.kubectl import Cluster
from hack.progress import say
from hack.up import NAMESPACE, OPERATOR_NAMESPACE
from payments.gateway.passwords import hash_password
from tests.support.canaries import Flows, Planted
from tests.support.faults.api import Told
from tests.support.faults.sizes import rng, seed
from tests.support.faults.world import World
from tests.support.observed.jaeger import Jaeger
from tests.support.observed.mixed import Fifty, mixed
from tests.support.observed.prometheus import Prometheus

DUMPS = Path(__file__).parents[2] / "build/e2e"
#: What was measured, by the test's name, for hack/bench/OPERATOR.md.
FIGURES = DUMPS / "figures.json"
Note = Callable[[str], None]
PROBE_ACCOUNTS = {"from_account": "ACC001", "to_account": "ACC002"}


class Platforms(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """The sample's tests one after the other; beside them those that bring platforms of their own."""

    def _split_scope(self, nodeid: str) -> str:
        return "own" if "test_more_platforms.py" in nodeid else "sample"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Platforms:
    """Whatever --dist says: two tests at once would kill each other's pods."""
    return Platforms(config, log)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The local cluster; never another one, for every call names its context."""
    cluster = Cluster.from_environment()
    cluster.kubectl("version", timeout=30)
    return cluster


@pytest.fixture(scope="session", autouse=True)
def example(cluster: Cluster) -> Iterator[None]:
    """The payment of the README's example is the reader's: no test spends it."""

    def status() -> list[list[str]]:
        return cluster.sql(NAMESPACE, "SELECT status FROM payments.payments WHERE id = 'txn_001'")

    before = status()
    yield
    assert status() == before


@pytest.fixture(scope="session")
def url(cluster: Cluster) -> str:
    """The sample's load balancer."""
    return f"http://localhost:{8080 + (cluster.settings.port_offset or 0)}"


@pytest.fixture(scope="session")
def demo(url: str) -> Client:
    """The API as user `demo`, who is cust_001."""
    client = Client(url)
    client.login("demo", "password123")
    return client


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Note:
    """Tell a figure: in the output, and for the report on the operator."""

    def tell(text: str) -> None:
        say(text)
        FIGURES.parent.mkdir(parents=True, exist_ok=True)
        known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
        known[request.node.originalname] = [text]
        FIGURES.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")

    return tell


@asynccontextmanager
async def connected(cluster: Cluster, url: str) -> AsyncIterator[World]:
    """The sample platform as customers and its superuser see it; tables through PostgreSQL's node port."""
    password = secret(cluster, "postgres-superuser", "password")
    port = 5432 + (cluster.settings.port_offset or 0)
    dsn = f"postgresql://postgres:{password}@127.0.0.1:{port}/payment_db"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)) as http:
        yield World(dsn, url, http, Told(), hash_password("password123"))


@pytest.fixture
async def world(cluster: Cluster, url: str) -> AsyncIterator[World]:
    """A new view of the sample platform: nothing has been told yet."""
    async with connected(cluster, url) as world:
        yield world


@pytest.fixture(scope="session")
async def planted(cluster: Cluster, url: str) -> Planted:
    """Secrets that went through every flow, early: spans and scrapes have come when they are looked for."""
    began = time.time()
    private = json.loads(secret(cluster, "gateway-encryption-keys", "private.jwks.json"))["keys"][0]
    async with (
        connected(cluster, url) as world,
        asyncpg.create_pool(world.dsn, min_size=1, max_size=2) as database,
        httpx.AsyncClient(base_url=url, timeout=40) as api,
    ):
        flows = Flows(api, database)
        await flows.set_up()
        await flows.sessions()
        await flows.payments()
        await flows.encrypted(RSAKey.import_key(private))
        await flows.forged()
    return Planted(flows, began, time.time())


@pytest.fixture(scope="session")
async def fifty(cluster: Cluster, url: str, planted: Planted) -> Fifty:  # noqa: ARG001  made before
    """Payments of every kind, made once while everything watches."""
    number, began = seed(), time.time()
    async with connected(cluster, url) as world:
        made = await mixed(world, rng("fifty", number))
    kinds = dict(Counter(payment.kind for payment in made))
    sys.stdout.write(f"seed={number} payments={kinds} in {time.time() - began:.1f} s\n")
    return Fifty(made, began)


@pytest.fixture(scope="session")
def prometheus(cluster: Cluster) -> Prometheus:
    """The sample's."""
    return Prometheus(f"http://localhost:{9090 + (cluster.settings.port_offset or 0)}")


@pytest.fixture(scope="session")
def jaeger(cluster: Cluster) -> Jaeger:
    """The sample's."""
    return Jaeger(f"http://localhost:{16686 + (cluster.settings.port_offset or 0)}")


def secret(cluster: Cluster, name: str, key: str) -> str:
    """A value of a Secret of the sample."""
    return base64.b64decode(cluster.get("-n", NAMESPACE, "secret", name)["data"][key]).decode()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001  the hook's signature
) -> Iterator[None] | pytest.TestReport:
    """Dump the cluster's state when a test fails."""
    report: pytest.TestReport = yield  # type: ignore[misc, assignment]
    if report.when in ("setup", "call") and report.failed:
        folder = DUMPS / item.name.replace("/", "_")
        report.sections.append(("state of the cluster", f"{dump(folder)} (all of it in {folder})"))
    return report


def dump(folder: Path) -> str:
    """Write events, logs and platforms to `folder`; what a reader wants first is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Cluster.from_environment()
    commands = {
        "platforms.yaml": ["get", "paymentplatforms", "-A", "-o", "yaml"],
        "pods.txt": ["get", "pods", "-A", "-o", "wide"],
        "events.txt": ["get", "events", "-A", "--sort-by=.lastTimestamp"],
        "operator.log": ["-n", OPERATOR_NAMESPACE, "logs", "deploy/payment-operator", "--tail=500"],
    }
    namespaces = {NAMESPACE}
    for name, command in commands.items():
        (folder / name).write_text(_output(cluster, *command))
    platforms = _output(cluster, "get", "paymentplatforms", "-A", "-o", "json")
    first = []
    if platforms.startswith("{"):
        for platform in json.loads(platforms)["items"]:
            namespaces.add(platform["metadata"]["namespace"])
            first.append(f"{platform['metadata']['namespace']}: {json.dumps(platform.get('status', {}))}")
    for namespace in namespaces:
        selector = ["-l", "app.kubernetes.io/part-of=payment-platform"]
        logs = ["-n", namespace, "logs", *selector, "--all-containers", "--prefix", "--tail=200"]
        (folder / f"{namespace}.log").write_text(_output(cluster, *logs, "--max-log-requests=50"))
    return "\n".join(first)


def _output(cluster: Cluster, *command: str) -> str:
    try:
        return cluster.kubectl(*command, timeout=60)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return f"{error} {error.stderr!r}"
