"""The cluster of `make up`. A failing test leaves events, logs and status in build/e2e/<test>."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hack.client import Client
from hack.kubectl import Cluster
from hack.progress import say
from hack.up import NAMESPACE, OPERATOR_NAMESPACE

DUMPS = Path(__file__).parents[2] / "build/e2e"
#: What was measured, by the test's name, for hack/bench/OPERATOR.md.
FIGURES = DUMPS / "figures.json"
Note = Callable[[str], None]
PROBE_ACCOUNTS = {"from_account": "ACC001", "to_account": "ACC002"}


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The local cluster; never another one, for every call names its context."""
    cluster = Cluster.from_environment()
    cluster.kubectl("version", timeout=30)
    return cluster


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
