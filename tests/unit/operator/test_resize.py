"""Advice that is applied: to one service at a time, within bounds, never over what is declared."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from payment_operator import keys
from payment_operator.advice import Use
from payment_operator.errors import InvalidSpec
from payment_operator.kinds import Ref
from payment_operator.manifest import Manifest
from payment_operator.pace import SOON, again
from payment_operator.plan import Plan
from payment_operator.resize import resized
from payment_operator.rotate import Standing
from payment_operator.sizes import (
    RECORD,
    Size,
    changes,
    declared,
    in_force,
    read,
    size_notices,
    sized,
    written,
)
from payment_operator.status import status_of
from payment_operator.upgrade import Phase, Upgrade
from payment_operator.values import parse, values_of
from payment_operator.view import View
from payment_operator.wedged import Verdict
from tests.unit.operator.builders import Object, applied, by_ref, wanted
from tests.unit.operator.test_status import NOW, RELEASE, look, pairs
from tests.unit.operator.world import World, chart_documents

MIB = 2**20
DAY = timedelta(days=1)
KYC, OTP = "kyc-service", "otp-service"
AUTO: dict[str, Any] = {"resourceAdvice": {"updateMode": "Auto"}}
REQUESTS, LIMITS = {"cpu": "100m", "memory": "128Mi"}, {"memory": "256Mi"}


def service(name: str, **resources: dict[str, str]) -> tuple[Manifest, Object]:
    """A Deployment that is ready, and its live twin."""
    chosen = {"requests": REQUESTS, "limits": LIMITS} | resources
    template = {"spec": {"containers": [{"name": name, "resources": chosen}]}}
    item = wanted("Deployment", name, 3, spec={"replicas": 1, "template": template})
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
    return item, applied(item, status={"observedGeneration": 1} | counts)


def calm(spec: dict[str, Any] | None = None, more: tuple[Any, ...] = (), **fields: Any) -> View:
    """A look at a platform at rest, whose last look found it so."""
    objects = [*pairs(), service(KYC), service(OTP), *more]
    first = look(objects, spec=parse({"profile": "dev"} | (AUTO if spec is None else spec)))
    view = replace(first, previous=RELEASE | status_of(first))
    return replace(view, **({"uses": {KYC: Use(0.3, 100 * MIB)}} | fields))


def chosen(view: View) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    found = resized(view, DAY).sizes or ()
    return {size.service: (dict(size.requests), dict(size.limits)) for size in found}


def test_requests_follow_the_advice_and_limits_their_ratio() -> None:
    view = resized(calm(uses={KYC: Use(0.3, 300 * MIB)}), DAY)
    assert view.sizes is not None
    (size,) = view.sizes
    assert (size.service, size.at) == (KYC, NOW)
    assert size.requests == {"cpu": "380m", "memory": "400Mi"}
    assert size.limits == {"memory": "800Mi"}
    assert "0.300 cores" in size.measured
    assert "300 MiB" in size.measured
    assert view.resizes
    assert again(view) == SOON
    entry = status_of(view)[RECORD][0]
    assert entry["resources"]["requests"] == {"cpu": "380m", "memory": "400Mi"}
    assert entry["before"] == {"requests": REQUESTS, "limits": LIMITS}
    assert read({RECORD: [entry]}) == (size,)


@pytest.mark.parametrize("spec", [{}, {"resourceAdvice": {}}, {"resourceAdvice": {"updateMode": "Off"}}])
def test_nothing_is_applied_unless_asked_for(spec: dict[str, Any]) -> None:
    assert chosen(calm(spec)) == {}
    assert RECORD not in status_of(resized(calm(spec), DAY))


@pytest.mark.parametrize(
    ("cpu", "expected"),
    [(0.08, {}), (0.092, {}), (0.10, {"cpu": "130m"}), (0.066, {}), (0.06, {"cpu": "80m"})],
)
def test_what_is_within_a_fifth_stays(cpu: float, expected: dict[str, str]) -> None:
    found = chosen(calm(uses={KYC: Use(cpu, 100 * MIB)}))
    assert found.get(KYC, ({}, {}))[0] == expected


def test_bounds() -> None:
    large, small = {KYC: Use(9.0, 9000 * MIB)}, {KYC: Use(0.0, 1 * MIB)}
    assert chosen(calm(uses=large))[KYC][0] == {"cpu": "2000m", "memory": "2048Mi"}
    assert chosen(calm(uses=small))[KYC][0] == {"cpu": "10m", "memory": "32Mi"}
    bounds = {
        "updateMode": "Auto",
        "minAllowed": {"cpu": "50m", "memory": "96Mi"},
        "maxAllowed": {"cpu": 1, "memory": "1Ti"},
    }
    spec = {"resourceAdvice": bounds}
    assert chosen(calm(spec, uses=large))[KYC][0] == {"cpu": "1000m", "memory": "11712Mi"}
    assert chosen(calm(spec, uses=small))[KYC][0] == {"cpu": "50m", "memory": "96Mi"}
    above = {"resourceAdvice": {"updateMode": "Auto", "minAllowed": {"cpu": "3"}}}
    assert chosen(calm(above, uses=large))[KYC][0]["cpu"] == "3000m"
    below = {"resourceAdvice": {"updateMode": "Auto", "maxAllowed": {"cpu": "5m"}}}
    assert chosen(calm(below, uses=large))[KYC][0]["cpu"] == "5m"


def test_what_is_declared_wins() -> None:
    for part in ("requests", "limits"):
        spec = AUTO | {"services": {KYC: {"resources": {part: {"cpu": "100m"}}}}}
        found = chosen(calm(spec, uses={KYC: Use(0.9, 300 * MIB)}))
        assert found[KYC][0] == {"memory": "400Mi"}
        assert declared(parse({"profile": "dev"} | spec), KYC) == {"cpu"}
    both = AUTO | {"services": {KYC: {"resources": {"requests": {"cpu": 1}, "limits": {"memory": "1Gi"}}}}}
    assert chosen(calm(both, uses={KYC: Use(0.9, 300 * MIB)})) == {}


def test_an_autoscaler_keeps_the_cpu_that_it_aims_at() -> None:
    scaler = wanted("HorizontalPodAutoscaler", KYC, 3, spec={"minReplicas": 1, "maxReplicas": 4})
    view = calm(more=((scaler, applied(scaler)),), uses={KYC: Use(0.9, 300 * MIB)})
    assert chosen(view)[KYC][0] == {"memory": "400Mi"}


def test_one_service_at_a_time_the_farthest_off_first_and_each_once_a_day() -> None:
    uses = {KYC: Use(0.3, 100 * MIB), OTP: Use(0.9, 100 * MIB), "gone": Use(9.0, 1.0)}
    view = calm(uses=uses)
    first = resized(view, DAY)
    assert [size.service for size in first.sizes or ()] == [OTP]
    record = {RECORD: written(first.sizes or ())}
    second = resized(replace(view, previous={**view.previous} | record), DAY)
    assert [size.service for size in second.sizes or ()] == [KYC, OTP]
    record = {RECORD: written(second.sizes or ())}
    # The live Deployments are as before: still far off, but it is too early.
    third = resized(replace(view, previous={**view.previous} | record), DAY)
    assert not third.resizes
    tomorrow = replace(third, now=NOW + DAY, previous={**view.previous} | record)
    (later,) = (size for size in resized(tomorrow, DAY).sizes or () if size.at > NOW)
    assert later.service == OTP


def test_a_change_of_the_one_keeps_the_other_as_it_was_applied() -> None:
    before = Size(KYC, NOW - DAY, {"memory": "128Mi"}, {"memory": "256Mi"}, {}, {}, "")
    view = calm()
    view = replace(view, previous={**view.previous} | {RECORD: written([before])})
    assert chosen(view) == {KYC: ({"cpu": "380m", "memory": "128Mi"}, {"memory": "256Mi"})}


def record_of(phase: Phase) -> Upgrade:
    return Upgrade("0.1.0", "0.2.0", phase, NOW - DAY, NOW - DAY)


@pytest.mark.parametrize(
    "fields",
    [
        {"upgrade": record_of(Phase.SERVICES)},
        {"upgrade": record_of(Phase.ROLLING_BACK)},
        {"upgrade": record_of(Phase.ROLLED_BACK)},
        {"release": "0.2.0"},
        {"plan": Plan(waits=("something",))},
        {"plan": Plan(apply=(service(OTP)[0],))},
        {"plan": Plan(prune=(Ref("Service", "old"),))},
        {"hanging": (Verdict(OTP, "why", (), 3),)},
        {"rotations": (Standing("database-passwords", "Overlapping", ""),)},
        {"unreachable": {"kafka": "does not answer"}},
        {"uses": None},
    ],
)
def test_never_while_something_else_goes_on(fields: dict[str, Any]) -> None:
    assert chosen(calm()) != {}
    assert chosen(replace(calm(), **fields)) == {}


@pytest.mark.parametrize(
    ("kind", "status"),
    [("Ready", "False"), ("ServicesReady", "False"), ("Progressing", "True"), ("Degraded", "True")],
)
def test_never_while_the_last_look_found_something_amiss(kind: str, status: str) -> None:
    view = calm()
    conditions = [
        item | ({"status": status} if item["type"] == kind else {}) for item in view.previous["conditions"]
    ]
    assert chosen(replace(view, previous=dict(view.previous) | {"conditions": conditions})) == {}


def test_never_while_pods_of_a_service_are_not_ready() -> None:
    view = calm()
    item, live = service(OTP)
    slow = live | {"status": live["status"] | {"availableReplicas": 0}}
    observed = replace(view.observed, live=view.observed.live | by_ref(slow))
    assert chosen(replace(view, observed=observed)) == {}


def test_keys_that_overlap_are_no_reason_to_wait() -> None:
    assert chosen(replace(calm(), rotations=(Standing("signing-keys", "Overlapping", ""),))) != {}


def test_a_pause_changes_nothing_of_what_is_applied() -> None:
    entry = written([Size(KYC, NOW, {"cpu": "380m"}, {}, {}, {}, "")])
    view = calm(AUTO | {"paused": True})
    view = resized(replace(view, previous={**view.previous} | {RECORD: entry}), DAY)
    assert view.sizes is None
    assert status_of(view)[RECORD] == entry


def test_switched_off_or_declared_it_is_gone() -> None:
    record = [Size(KYC, NOW, {"cpu": "380m", "memory": "400Mi"}, {"memory": "800Mi"}, {}, {}, "")]
    assert in_force(record, parse({"profile": "dev"})) == ()
    spec = AUTO | {"services": {KYC: {"resources": {"limits": {"memory": "1Gi"}}}}}
    (left,) = in_force(record, parse({"profile": "dev"} | spec))
    assert (left.requests, left.limits) == ({"cpu": "380m"}, {})
    view = calm({})
    view = resized(replace(view, previous={**view.previous} | {RECORD: written(record)}), DAY)
    assert status_of(view)[RECORD] == []


def test_values_for_the_chart() -> None:
    spec = parse({"profile": "dev"} | AUTO | {"services": {OTP: {"replicas": 2}}})
    values = values_of(spec, {})
    assert "resourceAdvice" not in values
    size = Size(OTP, NOW, {"cpu": "380m"}, {}, {}, {}, "")
    assert sized(values, [size])["services"] == {
        OTP: {"replicas": 2, "resources": {"requests": {"cpu": "380m"}}}
    }
    assert values["services"] == {OTP: {"replicas": 2}}
    assert sized(values, [replace(size, service=KYC)])["services"][KYC] == {
        "resources": {"requests": {"cpu": "380m"}}
    }


def taken_back(view: View) -> str:
    (size,) = resized(view, DAY).sizes or ()
    assert bool(size.taken_back) == (not size.requests)
    return size.taken_back


def applied_lately(*pods: Object, limit: str = "128Mi", **condition: str) -> View:
    """A look after an application an hour ago."""
    size = Size(
        KYC, NOW - timedelta(hours=1), {"memory": "64Mi"}, {"memory": limit}, REQUESTS, LIMITS, "measured"
    )
    item, live = service(KYC)
    status = live["status"] | {"conditions": [{"type": "Progressing", **condition}] if condition else []}
    view = calm(uses=None)
    observed = replace(
        view.observed,
        live=view.observed.live | by_ref(live | {"status": status}),
        pods=[*view.observed.pods, *pods],
    )
    return replace(view, observed=observed, previous={**view.previous} | {RECORD: written([size])})


def killed(minutes: int, reason: str = "OOMKilled", name: str = KYC) -> Object:
    """A pod that began so many minutes ago and whose container ended."""
    metadata = {
        "name": f"{name}-1",
        "labels": {"app.kubernetes.io/name": name},
        "creationTimestamp": (NOW - timedelta(minutes=minutes)).isoformat(),
    }
    last = {"lastState": {"terminated": {"reason": reason}}}
    return {"metadata": metadata, "status": {"containerStatuses": [last]}}


def test_what_does_not_come_up_with_it_gets_back_what_it_had() -> None:
    assert taken_back(applied_lately()) == ""
    late = {"status": "False", "message": "deadline exceeded"}
    assert "deadline exceeded" in taken_back(
        applied_lately(**late, lastUpdateTime=(NOW - timedelta(minutes=5)).isoformat())
    )
    assert taken_back(applied_lately(**late, lastUpdateTime=(NOW - DAY).isoformat())) == ""
    assert "too little memory with a limit of 128Mi" in taken_back(applied_lately(killed(30)))
    for other in (killed(90), killed(30, reason="Error"), killed(30, name=OTP)):
        assert taken_back(applied_lately(other)) == ""
    assert taken_back(applied_lately(killed(30), limit="512Mi")) == ""


def test_what_was_taken_back_is_tried_again_a_day_later() -> None:
    gone = Size(KYC, NOW, {}, {}, {}, {}, "measured", "its pods did not start")
    view = calm()
    view = replace(view, previous={**view.previous} | {RECORD: written([gone])})
    assert chosen(view) == {KYC: ({}, {})}
    assert not resized(view, DAY).resizes
    assert chosen(replace(view, now=NOW + DAY))[KYC][0] == {"cpu": "380m"}


def test_events_tell_what_was_done_and_by_which_measure() -> None:
    size = Size(
        KYC, NOW, {"cpu": "380m", "memory": "128Mi"}, {"memory": "256Mi"}, REQUESTS, LIMITS, "used much"
    )
    assert changes(size) == ["requests.cpu 100m → 380m"]
    gone = replace(size, requests={}, limits={}, taken_back="its pods did not start")
    first, second = {RECORD: written([size])}, {RECORD: written([gone])}
    (told,) = size_notices({}, first)
    assert (told.type, told.reason) == ("Normal", "ResourcesApplied")
    assert told.message == "kyc-service: requests.cpu 100m → 380m: used much"
    assert size_notices(first, first) == []
    (told,) = size_notices(first, second)
    assert (told.type, told.reason) == ("Warning", "ResourcesTakenBack")


@pytest.mark.parametrize("advice", [{"updateMode": "Initial"}, {"minAllowed": {"gpu": 1}}])
def test_what_the_schema_does_not_know_is_refused(advice: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec, match="resourceAdvice"):
        parse({"profile": "dev", "resourceAdvice": advice})


def test_the_chart_gets_what_is_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "RSA_BITS", 1024)
    world = World.fake(tmp_path)

    def noting(values: dict[str, Any]) -> list[dict[str, Any]]:
        documents = chart_documents()
        documents[0]["data"] = {"services": json.dumps(values.get("services"))}
        return documents

    def rendered() -> Any:
        return json.loads(world.cluster.objects["ConfigMap", "shop", "files"]["data"]["services"])

    world.render = noting
    platform = world.declare(**AUTO)
    world.settle()
    assert rendered() is None
    platform["status"][RECORD] = written([Size(KYC, world.now, {"cpu": "380m"}, {}, {}, {}, "")])
    world.settle()
    assert rendered() == {KYC: {"resources": {"requests": {"cpu": "380m"}}}}
    platform["spec"].pop("resourceAdvice")
    world.settle()
    assert rendered() is None
