"""The whole sequence against a cluster in memory: install, rest, repair, pause, conflict, refusals."""

from pathlib import Path

import pytest

from payment_operator import keys
from payment_operator.errors import ApiError, RenderFailed
from payment_operator.pace import LATER, SOON, WAITING
from tests.unit.operator.builders import Object
from tests.unit.operator.world import PLATFORM_LABELS, World, chart_documents


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(keys, "RSA_BITS", 1024)
    return World.fake(tmp_path)


def test_install_goes_by_waves_to_ready_and_then_writes_nothing(world: World) -> None:
    world.declare()
    assert world.run() == SOON
    assert world.cluster.log[0] == "apply PaymentPlatform/payments/status"
    assert "apply ConfigMap/files" in world.cluster.log
    assert "apply StatefulSet/postgres" not in world.cluster.log
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    status = world.cluster.objects["PaymentPlatform", "shop", "payments"]["status"]
    assert (status["version"], status["services"]["ready"], status["observedGeneration"]) == (
        "0.1.0",
        "1/1",
        1,
    )
    for _ in range(3):
        assert world.run() is None
        assert world.cluster.log == []


def test_a_wave_that_is_not_ready_holds_the_next(world: World) -> None:
    world.declare()
    world.cluster.ready = False
    world.run()
    world.run()
    assert world.run() == WAITING
    assert ("Deployment", "shop", "api-gateway") not in world.cluster.objects
    assert world.condition("Progressing") == ("True", "Installing")


def test_a_deleted_deployment_comes_back_while_postgres_is_dead(world: World) -> None:
    world.declare()
    world.settle()
    world.cluster.objects["StatefulSet", "shop", "postgres"]["status"]["readyReplicas"] = 0
    del world.cluster.objects["Deployment", "shop", "api-gateway"]
    assert world.run() == SOON
    assert "apply Deployment/api-gateway" in world.cluster.log
    assert world.condition("PostgresReady") == ("False", "NotReady")


def test_a_change_applies_what_changed_alone(world: World) -> None:
    platform = world.declare()
    world.settle()
    world.render = lambda values: chart_documents(values["services"]["api-gateway"]["replicas"])
    platform["spec"]["services"] = {"api-gateway": {"replicas": 2}}
    platform["metadata"]["generation"] = 2
    world.run()
    assert world.cluster.log == ["apply Deployment/api-gateway", "apply PaymentPlatform/payments/status"]


def test_an_autoscaler_starts_from_the_present_number_of_pods(world: World) -> None:
    platform = world.declare()
    world.render = lambda _: chart_documents(3)
    world.settle()

    def scaled(_: Object) -> list[Object]:
        documents = chart_documents()
        documents[-1]["spec"] = {"paused": False}
        return documents

    world.render = scaled
    platform["spec"]["services"] = {"api-gateway": {"autoscaling": {"enabled": True}}}
    world.run()
    deployment = ["apply Deployment/api-gateway"]
    assert [line for line in world.cluster.log if "Deployment" in line] == deployment * 2
    assert world.cluster.handed_over == {"api-gateway": 3}


def test_what_the_chart_no_longer_has_is_pruned(world: World) -> None:
    platform = world.declare()
    world.settle()
    world.render = lambda _: chart_documents()[1:]
    platform["spec"]["demo"] = {"enabled": False}
    world.run()
    assert world.cluster.log == ["delete ConfigMap/files", "apply PaymentPlatform/payments/status"]


def test_pause_stops_every_write_but_the_status(world: World) -> None:
    platform = world.declare()
    world.settle()
    del world.cluster.objects["Deployment", "shop", "api-gateway"]
    platform["spec"]["paused"] = True
    world.run()
    assert world.writes == ["apply PaymentPlatform/payments/status"]
    assert world.condition("Progressing") == ("False", "Paused")
    platform["spec"]["paused"] = False
    world.run()
    assert "apply Deployment/api-gateway" in world.cluster.log


def test_somebody_elses_object_is_left_alone_and_named(world: World) -> None:
    world.declare()
    foreign = world.cluster.put(
        "Deployment", "shop", "api-gateway", metadata={"labels": PLATFORM_LABELS}, spec={}
    )
    for _ in range(5):
        world.run()
    assert world.cluster.objects["Deployment", "shop", "api-gateway"] == foreign
    assert world.condition("Degraded") == ("True", "NameTaken")


def test_the_oldest_platform_wins_and_the_next_one_follows(world: World) -> None:
    world.declare("payments", created="2026-01-01T00:00:01Z")
    world.declare("older", created="2026-01-01T00:00:00Z")
    world.run()
    assert world.condition("Ready", "payments") == ("False", "Conflict")
    assert world.condition("SecretsReady", "older")[0] == "True"
    del world.cluster.objects["PaymentPlatform", "shop", "older"]
    world.run()
    assert world.condition("Ready", "payments")[1] != "Conflict"


def test_a_deleted_platform_needs_nothing_of_the_operator(world: World) -> None:
    platform = world.declare()
    platform["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:02Z"
    assert world.run() is None
    assert world.cluster.log == []


def test_a_render_that_fails_is_told_and_leaves_everything_as_it_is(world: World) -> None:
    platform = world.declare()
    world.settle()

    def refuse(_: Object) -> list[Object]:
        raise RenderFailed("the chart refuses the spec: postgres.maxConnections: too small")

    world.render = refuse
    platform["spec"]["postgres"] = {"maxConnections": 20}
    assert world.run() is None
    assert world.writes == ["apply PaymentPlatform/payments/status"]
    assert world.condition("Degraded") == ("True", "RenderFailed")
    assert world.condition("Ready") == ("True", "Ready")


def test_a_version_that_is_not_carried_changes_nothing(world: World) -> None:
    platform = world.declare()
    world.settle()
    platform["spec"]["version"] = "9.9.9"
    world.run()
    assert world.writes == ["apply PaymentPlatform/payments/status"]
    assert world.condition("Degraded") == ("True", "UnsupportedVersion")


def test_one_refused_object_does_not_hold_up_the_others(world: World) -> None:
    world.declare()
    world.cluster.refused["files"] = ApiError(422, "data: too long")
    assert world.run() == LATER
    assert world.condition("Degraded") == ("True", "ApplyFailed")
    assert "apply ConfigMap/gateway-public-keys" in world.cluster.log


def test_an_api_server_that_does_not_answer_is_an_error_of_the_run(world: World) -> None:
    world.declare()
    world.cluster.refused["files"] = ApiError(0, "timed out")
    with pytest.raises(ApiError):
        world.run()
