"""What is not the operator's is left alone, and what is the matter with a platform is told."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hack.controlplane.api import Api, wait
from hack.controlplane.audit import Audit
from hack.controlplane.controllers import DOWN
from hack.controlplane.operators import Operator
from hack.controlplane.servers import ControlPlane, free_ports
from payment_operator.kinds import PLATFORM_LABEL
from tests.controlplane.changes import children, resyncs
from tests.controlplane.conftest import Note

NAMESPACE, FOREIGN, VERSION = "space-main", "space-foreign", "space-version"


@pytest.fixture(scope="module")
def metrics_port() -> int:
    """Where the operator of this module tells its metrics."""
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the administrator's defaults will be."""
    folder: Path = tmp_path_factory.mktemp("defaults")
    return folder / "defaults.yaml"


def put(file: Path, text: str) -> None:
    """All at once, as a mounted ConfigMap changes: an empty file would mean that there are no defaults."""
    part = file.with_suffix(".part")
    part.write_text(text)
    part.replace(file)


@pytest.fixture(scope="module")
def operator(plane: ControlPlane, api: Api, metrics_port: int, defaults: Path) -> Iterator[Operator]:
    """It looks at its namespaces about every second; a platform is Ready in the first one."""
    spaces = [NAMESPACE, FOREIGN, VERSION]
    for name in spaces:
        api.namespace(name)
    settings = {"METRICS_PORT": str(metrics_port), "DEFAULTS": str(defaults)}
    with Operator(plane, number=0, namespaces=spaces, resync=1, settings=settings) as operator:
        api.declare(NAMESPACE)
        wait(lambda: api.is_ready(NAMESPACE), 180, f"{NAMESPACE} Ready")
        yield operator


@pytest.mark.usefixtures("operator")
def test_08_a_version_that_is_not_carried_is_told_and_nothing_is_done(
    api: Api, audit: Audit, note: Note
) -> None:
    api.declare(VERSION, version="99.0.0")
    took = wait(
        lambda: api.conditions(VERSION).get("Degraded", {}).get("reason") == "UnsupportedVersion",
        10,
        "the condition",
    )
    assert "99.0.0" in api.conditions(VERSION)["Degraded"]["message"]
    wait(lambda: resyncs(audit, VERSION) >= 2, 20, "two looks")
    assert [str(call) for call in audit.children_written(VERSION)] == []
    api.delete("PaymentPlatform", VERSION, "payments")
    note(f"told after {took:.1f} s, no child and no Secret written")


@pytest.mark.usefixtures("operator")
def test_14_metrics_tell_the_work_and_events_are_not_repeated(
    api: Api, audit: Audit, metrics_port: int, note: Note
) -> None:
    down = {"metadata": {"annotations": {DOWN: "true"}}}
    up = {"metadata": {"annotations": {DOWN: None}}}
    for _ in range(2):
        api.patch("StatefulSet", NAMESPACE, "redis", down)
        wait(lambda: api.conditions(NAMESPACE)["RedisReady"]["status"] == "False", 30, "RedisReady False")
        api.patch("StatefulSet", NAMESPACE, "redis", up)
        wait(lambda: api.conditions(NAMESPACE)["RedisReady"]["status"] == "True", 30, "RedisReady True")
    told = [item for item in api.list("Event", NAMESPACE) if item["reason"] == "RedisNotReady"]
    assert [item["count"] for item in told] == [2]
    text = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics", timeout=5).text
    for name in (
        "reconciles_total",
        "errors_total",
        "reconcile_duration_seconds_count",
        "queue_depth",
        "leader",
    ):
        assert f"payment_operator_{name}" in text
    assert any(
        line.startswith('payment_operator_reconciles_total{result="ok"}') and float(line.split()[1]) > 0
        for line in text.splitlines()
    )
    assert audit.calls(NAMESPACE)
    note("two outages are one Event counted 2; reconciles, errors, duration, queue depth and leader are told")


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize(
    ("name", "kind"), [("redis", "RedisReady"), ("kafka", "KafkaReady"), ("postgres", "PostgresReady")]
)
def test_15_a_dependency_that_is_down_is_told_within_30_s(api: Api, name: str, kind: str, note: Note) -> None:
    api.patch("StatefulSet", NAMESPACE, name, {"metadata": {"annotations": {DOWN: "true"}}})
    told = wait(lambda: api.conditions(NAMESPACE)[kind]["status"] == "False", 30, f"{kind} False")
    api.patch("StatefulSet", NAMESPACE, name, {"metadata": {"annotations": {DOWN: None}}})
    cleared = wait(lambda: api.conditions(NAMESPACE)[kind]["status"] == "True", 30, f"{kind} True")
    wait(lambda: api.is_ready(NAMESPACE), 30, "Ready")
    note(f"{kind} False after {told:.1f} s, True {cleared:.1f} s after the return")


@pytest.mark.usefixtures("operator")
def test_what_is_no_longer_wanted_is_pruned_and_nothing_else(api: Api, note: Note) -> None:
    metadata = {"name": "kept", "namespace": NAMESPACE, "labels": {PLATFORM_LABEL: "payments"}}
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"by": "somebody"}})
    api.declare(NAMESPACE, services={"risk-service": {"autoscaling": {"enabled": True, "maxReplicas": 5}}})
    wait(lambda: api.get("HorizontalPodAutoscaler", NAMESPACE, "risk-service") is not None, 20, "the HPA")
    before = children(api, NAMESPACE)
    api.declare(NAMESPACE)
    took = wait(lambda: api.get("HorizontalPodAutoscaler", NAMESPACE, "risk-service") is None, 20, "pruning")
    wait(lambda: api.is_ready(NAMESPACE), 30, "Ready")
    gone = before.keys() - children(api, NAMESPACE).keys()
    assert gone == {("HorizontalPodAutoscaler", "risk-service")}
    assert api.there("ConfigMap", NAMESPACE, "kept")["data"] == {"by": "somebody"}
    note(f"pruned after {took:.1f} s; a labelled object of somebody else stays")


@pytest.mark.usefixtures("operator")
def test_somebody_elses_object_is_never_adopted(api: Api, audit: Audit, note: Note) -> None:
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kyc-service", "namespace": FOREIGN}}
    api.apply(body | {"spec": {"ports": [{"name": "own", "port": 1234}]}}, "somebody")
    before = api.there("Service", FOREIGN, "kyc-service")
    api.declare(FOREIGN)
    wait(
        lambda: "Service/kyc-service" in api.conditions(FOREIGN).get("Degraded", {}).get("message", ""),
        20,
        "the name in a condition",
    )
    wait(lambda: resyncs(audit, FOREIGN) >= 3, 30, "three looks")
    assert api.there("Service", FOREIGN, "kyc-service") == before
    assert api.conditions(FOREIGN)["Degraded"]["reason"] == "NameTaken"
    api.delete("Service", FOREIGN, "kyc-service")
    took = wait(lambda: api.is_ready(FOREIGN), 180, f"{FOREIGN} Ready")
    note(f"untouched and named; {took:.1f} s from its removal to Ready")


@pytest.mark.usefixtures("operator")
def test_the_oldest_platform_of_a_namespace_wins(api: Api, audit: Audit, note: Note) -> None:
    api.declare(NAMESPACE, name="younger", services={"otp-service": {"replicas": 5}})
    wait(
        lambda: api.conditions(NAMESPACE, "younger").get("Ready", {}).get("reason") == "Conflict",
        20,
        "the conflict",
    )
    # The Event that tells of it follows the status.
    audit.mark()
    wait(lambda: resyncs(audit, NAMESPACE) >= 1, 30, "another look")
    audit.mark()
    wait(lambda: resyncs(audit, NAMESPACE) >= 3, 30, "three looks")
    assert [str(call) for call in audit.calls(NAMESPACE) if call.writes] == []
    assert api.there("Deployment", NAMESPACE, "otp-service")["spec"]["replicas"] == 1
    assert api.is_ready(NAMESPACE)
    api.delete("PaymentPlatform", NAMESPACE, "younger")
    note("the younger one is told Conflict, and nothing is written for it")


@pytest.mark.usefixtures("operator")
def test_defaults_of_the_administrator_give_way_to_what_is_declared(
    api: Api, defaults: Path, note: Note
) -> None:
    def pods() -> int:
        return int(api.there("Deployment", NAMESPACE, "otp-service")["spec"]["replicas"])

    def refused() -> str:
        return str(api.conditions(NAMESPACE)["Degraded"]["reason"])

    assert pods() == 1
    put(defaults, "spec: {services: {otp-service: {replicas: 2}}}")
    took = wait(lambda: pods() == 2, 20, "the default")
    api.declare(NAMESPACE, services={"otp-service": {"replicas": 3}})
    wait(lambda: pods() == 3, 20, "what is declared")
    wait(lambda: api.is_ready(NAMESPACE), 30, "Ready")
    put(defaults, "quota: {pods: 2}")
    api.declare(NAMESPACE, services={"otp-service": {"replicas": 4}})
    wait(lambda: refused() == "QuotaExceeded", 20, "the quota told")
    assert pods() == 3
    put(defaults, "spec: {profile: dev}")
    wait(lambda: refused() == "InvalidDefaults", 20, "wrong defaults told")
    assert pods() == 3
    defaults.unlink()
    wait(lambda: pods() == 4, 20, "what was refused")
    api.declare(NAMESPACE)
    wait(lambda: pods() == 1 and api.is_ready(NAMESPACE), 30, "Ready")
    note(f"a default counts after {took:.1f} s, what is declared wins; over the quota nothing grows or goes")


@pytest.mark.usefixtures("operator")
def test_one_platform_too_many_waits_until_another_one_goes(
    api: Api, audit: Audit, defaults: Path, note: Note
) -> None:
    present = sum(len(api.list("PaymentPlatform", space)) for space in (NAMESPACE, FOREIGN, VERSION))
    put(defaults, f"quota: {{platforms: {present}}}")
    api.declare(VERSION)
    told = wait(
        lambda: api.conditions(VERSION).get("Degraded", {}).get("reason") == "QuotaExceeded", 20, "the quota"
    )
    assert f"quota is {present} platforms" in api.conditions(VERSION)["Degraded"]["message"]
    wait(lambda: resyncs(audit, VERSION) >= 3, 30, "three looks")
    assert [str(call) for call in audit.children_written(VERSION)] == []
    assert api.list("Secret", VERSION) == []
    assert api.is_ready(NAMESPACE)
    api.delete("PaymentPlatform", NAMESPACE, "payments")
    came = wait(lambda: api.is_ready(VERSION), 180, f"{VERSION} Ready")
    note(
        f"told after {told:.1f} s, no child and no Secret written; Ready {came:.1f} s after another one went"
    )
