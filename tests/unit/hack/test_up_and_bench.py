import shutil
from pathlib import Path

import pytest

from hack.bench.__main__ import report
from hack.bench.budget import Budget
from hack.bench.memory import Measured, Usage, lines, summed, workload
from hack.kind import debian
from hack.kind.proc import Failure
from hack.kind.settings import Cache
from hack.kubectl import condition
from hack.up import REPOSITORY, _addresses, _documents, install_uuidgen


def test_no_command_spends_the_payment_of_the_readme_s_example() -> None:
    commands = list((REPOSITORY / "hack").rglob("*.py"))
    assert len(commands) > 50
    assert [path for path in commands if "txn_001" in path.read_text()] == []


def test_documents_one_after_another() -> None:
    assert _documents('{"kind": "A"}\n{"kind": "B",\n "spec": {}}\n') == [
        {"kind": "A"},
        {"kind": "B", "spec": {}},
    ]
    assert _documents(" \n") == []


def test_a_condition_is_found_by_its_type() -> None:
    resource = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert condition(resource, "Ready") == {"type": "Ready", "status": "True"}
    assert condition(resource, "Degraded") == {}
    assert condition({}, "Ready") == {}


def test_workloads_of_pods() -> None:
    labels = {"app.kubernetes.io/name": "payment-path"}
    replicated = {"labels": labels, "ownerReferences": [{"kind": "ReplicaSet"}]}
    assert workload({"metadata": replicated}) == workload({"metadata": {"labels": labels}}) == "payment-path"
    assert workload({"metadata": {"labels": labels, "ownerReferences": [{"kind": "Job"}]}}) == ""


def test_memory_is_summed_by_workload() -> None:
    def pod(name: str, *mebibytes: int) -> dict[str, object]:
        containers = [
            {"name": f"c{number}", "memory": {"workingSetBytes": value * 2**20}}
            for number, value in enumerate(mebibytes)
        ]
        return {"podRef": {"namespace": "shop", "name": name}, "containers": containers}

    def summary(node: int, *pods: dict[str, object]) -> dict[str, object]:
        return {"node": {"memory": {"workingSetBytes": node * 2**20}}, "pods": pods}

    owners = {
        ("shop", "gateway-1"): "shop/gateway",
        ("shop", "gateway-2"): "shop/gateway",
        ("shop", "two"): "two",
    }
    found = summed(
        [
            summary(900, pod("gateway-1", 80), pod("two", 3, 4)),
            summary(100, pod("gateway-2", 90), pod("job", 5)),
        ],
        owners,
    )
    assert found.containers == {"shop/gateway": 170, "two (c0)": 3, "two (c1)": 4}
    assert (found.pods["shop/gateway"], found.nodes) == (2, 1000)


def test_the_table_of_memory_says_what_watches() -> None:
    idle = Usage({"payments-dev/kyc-service": 50, "payments-dev/jaeger": 20, "ops/operator": 70}, {}, 900)
    after = Usage({"payments-dev/kyc-service": 60, "payments-dev/jaeger": 90, "ops/operator": 70}, {}, 1100)
    text = lines(
        Measured(
            idle, after, frozenset({"payments-dev/jaeger"}), {"succeeded": 599, "not created: 503": 1}, 60, 10
        )
    )
    assert "| payments-dev/jaeger | 0 | 20 | 90 |" in text
    assert "| **payments-dev in all** | | **70** | **150** |" in text
    assert "| of that, what watches | | 20 | 90 |" in text
    assert any("| **900** | **1100** |" in line for line in text)
    assert "1 not created: 503, 599 succeeded" in " ".join(text)


def test_addresses_move_with_the_offset() -> None:
    assert "http://localhost:8080 " in _addresses(0)
    assert "http://localhost:18080 " in _addresses(10000)


def test_the_report_names_each_figure() -> None:
    budget = Budget(
        {"api-gateway": 1.0}, {"payments: SELECT  *\nFROM payments.act($1 | $2)": 1.0}, {"evalsha": 1.0}
    )
    text = report(
        41.6,
        ["| payments-dev/api-gateway | 2 | 70 | 90 |"],
        {"on-us, low risk": budget},
        {"api-gateway": (0.71, 35.2)},
        {"payment-platform/services:0.1.0-abc": 248.1, "postgres:17.12": 142.0},
    )
    assert "### On-us, low risk" in text
    assert "42 s for a minimal dev platform" in text
    assert "| database calls | 1.0 | payments: SELECT * FROM payments.act($1 / $2) (1.0) |" in text
    assert "## Memory (working set)\n\n| payments-dev/api-gateway | 2 | 70 | 90 |" in text
    assert "| api-gateway | 0.71 | 35 |" in text
    assert "| payment-platform/services | 248 |" in text
    assert "| postgres:17.12 | 142 |" in text


@pytest.mark.parametrize(
    ("there", "possible", "installed"), [(True, True, 0), (False, False, 0), (False, True, 1)]
)
def test_uuidgen_is_installed_where_it_lacks_and_nothing_depends_on_it(
    there: bool, possible: bool, installed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[dict[str, str]] = []

    def install(_cache: Cache, _current: object, programs: dict[str, str]) -> None:
        asked.append(programs)
        raise Failure("no mirror answers")

    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/uuidgen" if there else None)
    monkeypatch.setattr(debian, "can_install", lambda: possible)
    monkeypatch.setattr(debian, "install", install)
    install_uuidgen(Cache(tmp_path))
    assert asked == [{"uuidgen": "uuid-runtime"}] * installed
