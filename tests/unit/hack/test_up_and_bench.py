from hack.bench.__main__ import report
from hack.bench.budget import Budget
from hack.bench.cluster import _workload
from hack.kubectl import condition
from hack.up import _addresses, _documents


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
    assert _workload("api-gateway-6d5f7c8b9-x2x4z") == "api-gateway"
    assert _workload("postgres-0") == "postgres"


def test_addresses_move_with_the_offset() -> None:
    assert "http://localhost:8080 " in _addresses(0)
    assert "http://localhost:18080 " in _addresses(10000)


def test_the_report_names_each_figure() -> None:
    budget = Budget(
        {"api-gateway": 1.0}, {"payments: SELECT  *\nFROM payments.act($1 | $2)": 1.0}, {"evalsha": 1.0}
    )
    text = report(
        41.6,
        {"payments-dev/api-gateway": 70.4, "payment-operator-system/payment-operator": 96.0},
        {"on-us, low risk": budget},
        {"api-gateway": (0.71, 35.2)},
        {"payment-platform/services:0.1.0-abc": 248.1, "postgres:17.12": 142.0},
    )
    assert "### On-us, low risk" in text
    assert "42 s for a minimal dev platform" in text
    assert "| database calls | 1.0 | payments: SELECT * FROM payments.act($1 / $2) (1.0) |" in text
    assert "| **payments-dev in all (one pod of each)** | **70** |" in text
    assert "| api-gateway | 0.71 | 35 |" in text
    assert "| payment-platform/services | 248 |" in text
    assert "| postgres:17.12 | 142 |" in text
