"""What the operator does about work that waits: more pods, or new ones. A stand-in of Prometheus tells it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from hack.controlplane.api import Api, wait
from hack.controlplane.audit import Audit
from hack.controlplane.metrics import Metrics
from hack.controlplane.operators import Operator
from hack.controlplane.servers import ControlPlane
from payment_operator.wedged import RESTARTED_ANNOTATION, RESTARTS_ANNOTATION
from tests.controlplane.changes import resyncs, same, templates
from tests.controlplane.conftest import Note

NAMESPACE, SCALED, HANGS = "load", "notification-service", "audit-service"
BUSY = "kyc-service"
FLOOR, CEILING, EACH, LIMIT = 2, 9, 100, 2
SETTLE = 2.0


@pytest.fixture(scope="module")
def metrics() -> Iterator[Metrics]:
    """Nothing waits yet; one service used much."""
    with Metrics() as metrics:
        metrics.cores, metrics.bytes = {BUSY: 3.0}, {BUSY: 4096.0 * 2**20}
        yield metrics


@pytest.fixture(scope="module")
def platform(plane: ControlPlane, api: Api, metrics: Metrics) -> Iterator[str]:
    """The namespace of a Ready platform with an external Prometheus."""
    api.namespace(NAMESPACE)
    scaling = {"enabled": True, "minReplicas": FLOOR, "maxReplicas": CEILING, "waitingPerReplica": EACH}
    api.declare(
        NAMESPACE,
        services={SCALED: {"autoscaling": scaling}},
        health={"restarts": {"perHour": LIMIT}},
        observability={"prometheus": {"enabled": True, "mode": "External", "external": {"url": metrics.url}}},
    )
    settings = {"SETTLE_SECONDS": str(SETTLE), "SCALE_IN_SECONDS": "1"}
    with Operator(plane, number=1, namespaces=[NAMESPACE], resync=1, settings=settings):
        wait(lambda: api.is_ready(NAMESPACE), 180, f"{NAMESPACE} Ready")
        yield NAMESPACE
        api.delete("PaymentPlatform", NAMESPACE, "payments")


def floor(api: Api) -> int:
    return int(api.there("HorizontalPodAutoscaler", NAMESPACE, SCALED)["spec"]["minReplicas"])


def test_19_three_times_the_load_lifts_the_floor_and_lets_it_down(
    api: Api, audit: Audit, platform: str, metrics: Metrics, note: Note
) -> None:
    metrics.behind = {SCALED: 1.5 * EACH, "kyc-service": 100.0 * EACH}
    wait(lambda: resyncs(audit, platform) >= 3, 30, "three looks")
    assert floor(api) == FLOOR
    metrics.behind = {SCALED: 4.5 * EACH}
    out = wait(lambda: floor(api) == 5, 120, "a floor of five")
    metrics.behind = {SCALED: 1000.0 * EACH}
    wait(lambda: floor(api) == CEILING, 120, "the ceiling")
    metrics.behind = {}
    seen: list[int] = []

    def back() -> bool:
        seen.append(floor(api))
        return seen[-1] == FLOOR

    down = wait(back, 60, "the declared floor", pause=0.05)
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == set(range(FLOOR, CEILING + 1))
    audit.mark()
    wait(lambda: resyncs(audit, platform) >= 3, 30, "three looks")
    assert [str(call) for call in audit.children_written(platform)] == []
    note(
        f"three times what waits: floor of {FLOOR} at 5 after {out:.1f} s, never above {CEILING}; "
        f"gone: back one by one, 1 s each, in {down:.1f} s"
    )


def test_what_services_should_ask_for_is_told_and_not_done(api: Api, platform: str, note: Note) -> None:
    live = api.there("Deployment", platform, BUSY)["spec"]["template"]["spec"]["containers"][0]["resources"]
    (entry,) = api.there("PaymentPlatform", platform, "payments")["status"]["advice"]
    assert entry["service"] == BUSY
    assert f"requests.cpu: {live['requests']['cpu']} → 3750m" in entry["changes"]
    assert f"limits.memory: {live['limits']['memory']} → 5328Mi" in entry["changes"]
    note(f"{BUSY}: {', '.join(entry['changes'])}")


def advice_of(api: Api, namespace: str, service: str) -> str:
    advice = api.there("PaymentPlatform", namespace, "payments")["status"]["advice"]
    return "; ".join(change for item in advice if item["service"] == service for change in item["changes"])


def test_advice_is_applied_to_one_service_at_a_time_within_bounds(
    api: Api, audit: Audit, platform: str, metrics: Metrics, note: Note
) -> None:
    declared = {"requests": {"cpu": "150m"}, "limits": {"memory": "512Mi"}}
    used = (BUSY, "ofac-service", "risk-service")
    before = templates(api, platform)
    metrics.bytes = dict.fromkeys(used, 1000.0 * 2**20)
    metrics.cores = {**dict.fromkeys(used, 3.0), BUSY: 4.0}
    wait(lambda: advice_of(api, platform, "ofac-service") != "", 60, "the new advice")
    advice = {"updateMode": "Auto", "maxAllowed": {"cpu": "500m"}}
    spec = api.there("PaymentPlatform", platform, "payments")["spec"]
    services = {**spec["services"], "risk-service": {"resources": declared}}
    api.declare(platform, **(spec | {"services": services, "resourceAdvice": advice}))

    def applied() -> dict[str, Any]:
        status = api.there("PaymentPlatform", platform, "payments")["status"]
        return {item["service"]: item for item in status.get("appliedAdvice", [])}

    def asks(name: str) -> dict[str, Any]:
        template = api.there("Deployment", platform, name)["spec"]["template"]
        resources: dict[str, Any] = template["spec"]["containers"][0]["resources"]
        return resources

    wanted = {"cpu": "500m", "memory": "1312Mi"}
    first = wait(lambda: asks(BUSY)["requests"] == wanted, 60, "the farthest off")
    second = wait(lambda: asks("ofac-service")["requests"] == wanted, 60, "the next")
    assert asks("risk-service") == {
        "requests": {"cpu": "150m", "memory": "64Mi"},
        "limits": declared["limits"],
    }
    wait(lambda: api.is_ready(platform), 30, "Ready")
    metrics.cores = dict.fromkeys(used, 0.1)
    wait(lambda: "500m → 130m" in advice_of(api, platform, BUSY), 60, "another advice")
    audit.mark()
    wait(lambda: resyncs(audit, platform) >= 3, 30, "three looks")
    assert [str(call) for call in audit.children_written(platform)] == []
    assert applied().keys() == {BUSY, "ofac-service"}
    assert "4.000 cores" in applied()[BUSY]["measured"]
    assert applied()[BUSY]["appliedAt"] <= applied()["ofac-service"]["appliedAt"]
    told = [item for item in api.list("Event", platform) if item["reason"] == "ResourcesApplied"]
    assert sorted(item["message"].partition(":")[0] for item in told) == [BUSY, "ofac-service"]
    api.declare(platform, **spec)

    def former() -> bool:
        after = templates(api, platform)
        return all(same(after[child], before[child]) for child in after)

    wait(former, 30, "all as before")
    wait(lambda: api.is_ready(platform), 30, "Ready")
    note(
        f"{BUSY} asks for {wanted} after {first:.1f} s, another service {second:.1f} s later; what is"
        " declared stays, nothing changes a second time that day; switched off all is as before"
    )


def test_18_a_service_that_hangs_is_restarted_within_limits(
    api: Api, audit: Audit, platform: str, metrics: Metrics, note: Note
) -> None:
    before = templates(api, platform)
    began = time.monotonic()
    metrics.stuck = {HANGS}

    def restarts() -> list[str]:
        live = api.there("Deployment", platform, HANGS)
        return [
            item for item in live["metadata"]["annotations"].get(RESTARTS_ANNOTATION, "").split(",") if item
        ]

    def degraded() -> bool:
        return bool(api.conditions(platform)["Degraded"]["reason"] == "ServiceHangs")

    wait(lambda: len(restarts()) == 1, 60, "a restart")
    first = time.monotonic() - began
    wait(lambda: len(restarts()) == LIMIT, 60, "another restart")
    wait(degraded, 60, "the limit told")
    assert HANGS in api.conditions(platform)["Degraded"]["message"]
    audit.mark()
    wait(lambda: resyncs(audit, platform) >= 4, 30, "four looks")
    time.sleep(SETTLE)
    assert len(restarts()) == LIMIT
    after = templates(api, platform)
    assert {child for child in after if not same(after[child], before[child])} == {("Deployment", HANGS)}
    last = after["Deployment", HANGS]["metadata"]["annotations"][RESTARTED_ANNOTATION]
    assert last == restarts()[-1]
    told = [item for item in api.list("Event", platform) if item["reason"] == "ServiceRestarted"]
    assert len(told) == LIMIT
    metrics.stuck = set()
    wait(lambda: not degraded(), 30, "Degraded over")
    assert api.is_ready(platform)
    note(f"restarted after {first:.1f} s, {LIMIT} times (the limit), then Degraded; nothing else rolled")
