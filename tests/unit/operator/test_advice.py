"""What containers should ask for: told when it is far from what was used."""

from typing import Any

import pytest

from payment_operator.advice import Use, advise, quantity

MIB = 2**20


def pod(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None) -> dict[str, Any]:
    """A Deployment whose container asks for this."""
    resources = {"requests": requests or {}, "limits": limits or {}}
    return {"spec": {"template": {"spec": {"containers": [{"name": "a", "resources": resources}]}}}}


def advised(use: Use, requests: dict[str, str], limits: dict[str, str] | None = None) -> list[str]:
    entries = advise({"kyc-service": use}, {"kyc-service": pod(requests, limits)})
    return entries[0]["changes"] if entries else []


@pytest.mark.parametrize(
    ("cpu", "request_", "expected"),
    [
        (0.080, "100m", []),
        (0.060, "100m", []),
        (0.020, "100m", ["requests.cpu: 100m → 30m"]),
        (0.300, "100m", ["requests.cpu: 100m → 380m"]),
        (0.900, "1", []),
        (0.0, "1", ["requests.cpu: 1 → 10m"]),
    ],
)
def test_cpu(cpu: float, request_: str, expected: list[str]) -> None:
    assert advised(Use(cpu, 100 * MIB), {"cpu": request_}) == expected


def test_memory_and_a_limit_that_is_near() -> None:
    use = Use(0.05, 100 * MIB)
    assert advised(use, {"memory": "128Mi"}, {"memory": "512Mi"}) == []
    assert advised(use, {"memory": "0.5Gi"}, {"memory": "512Mi"}) == ["requests.memory: 0.5Gi → 144Mi"]
    assert advised(use, {"memory": "128Mi"}, {"memory": "128Mi"}) == ["limits.memory: 128Mi → 144Mi"]


def test_what_asks_for_nothing_or_is_not_there_gets_no_advice() -> None:
    use = Use(3.0, 9000 * MIB)
    assert advised(use, {}) == []
    assert advise({"kyc-service": use, "gone": use}, {"kyc-service": pod(), "gone": None}) == []


@pytest.mark.parametrize(
    ("text", "number"), [("250m", 0.25), ("2", 2), ("1Gi", 2**30), ("1.5M", 1_500_000), ("64Ki", 65536)]
)
def test_quantities(text: str, number: float) -> None:
    assert float(quantity(text)) == number
