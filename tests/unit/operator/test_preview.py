"""A dry run: everything that would change is told, nothing is written but the status."""

from pathlib import Path

import pytest

from payment_operator import keys
from payment_operator.errors import ApiError
from payment_operator.preview import CHANGES, differences
from payment_operator.requests import DRY_RUN_ANNOTATION, requests_of
from tests.unit.operator.builders import Object
from tests.unit.operator.world import World, chart_documents


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(keys, "RSA_BITS", 1024)
    return World.fake(tmp_path)


def plan_of(world: World) -> dict[str, tuple[str, list[str]]]:
    status = world.cluster.objects["PaymentPlatform", "shop", "payments"]["status"]
    return {entry["object"]: (entry["action"], entry["changes"]) for entry in status["plan"]}


def test_what_would_change_is_told_and_not_done(world: World) -> None:
    platform = world.declare()
    world.settle()
    before = {key: dict(value) for key, value in world.cluster.objects.items() if key[0] != "PaymentPlatform"}
    world.render = lambda _: [
        item for item in chart_documents(gateway_pods=3) if item["metadata"]["name"] != "redis"
    ]
    platform["metadata"]["annotations"] = {DRY_RUN_ANNOTATION: "true"}
    platform["spec"]["image"] = {"tag": "2"}
    world.run()
    assert world.writes == ["apply PaymentPlatform/payments/status"]
    assert plan_of(world) == {
        "Deployment/api-gateway": ("Update", ["spec.replicas: 1 → 3"]),
        "StatefulSet/redis": ("Delete", []),
    }
    assert world.condition("Progressing") == ("False", "DryRun")
    after = {key: value for key, value in world.cluster.objects.items() if key in before}
    assert {key: value for key, value in after.items() if key[0] != "Event"} == {
        key: value for key, value in before.items() if key[0] != "Event"
    }
    world.run()
    assert world.cluster.log == []
    del platform["metadata"]["annotations"]
    world.settle()
    assert world.condition("Progressing") == ("False", "Complete")
    assert world.cluster.objects["Deployment", "shop", "api-gateway"]["spec"]["replicas"] == 3


def test_all_waves_of_a_first_install_are_shown_with_what_would_be_refused(world: World) -> None:
    platform = world.declare()
    platform["metadata"]["annotations"] = {DRY_RUN_ANNOTATION: ""}
    assert not requests_of(platform).dry_run
    world.settle()
    world.render = lambda _: [*chart_documents(), {**chart_documents()[0], "metadata": {"name": "new"}}]
    platform["metadata"]["annotations"] = {DRY_RUN_ANNOTATION: "yes"}
    platform["spec"]["image"] = {"tag": "2"}
    world.cluster.refused["new"] = ApiError(422, "spec: no such field")
    world.run()
    assert plan_of(world) == {"ConfigMap/new": ("Refused", ["spec: no such field"])}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"spec": {"a": 1}}, {"spec": {"a": 1}}, []),
        ({"spec": {"a": 1}}, {"spec": {"a": 2, "b": 3}}, ["spec.a: 1 → 2", "spec.b: (none) → 3"]),
        ({"spec": {"a": [1]}}, {"spec": {}}, ["spec.a: [1] → (none)"]),
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"env": [{"name": "B", "value": "3"}]},
            ["env[A]: {'name': 'A', 'value': '1'} → (none)", "env[B].value: 2 → 3"],
        ),
        (
            {"metadata": {"resourceVersion": "1"}, "status": {"x": 1}},
            {"metadata": {"resourceVersion": "2"}},
            [],
        ),
        ({"data": {"x": "a" * 200}}, {"data": {"x": "b"}}, [f"data.x: {'a' * 79}… → b"]),
    ],
)
def test_differences(before: Object, after: Object, told: list[str]) -> None:
    assert list(differences(before, after)) == told


def test_a_long_list_is_cut(world: World) -> None:
    platform = world.declare()
    world.settle()
    changed = chart_documents()
    changed[0]["data"] = {f"key-{n:02}": "x" for n in range(CHANGES + 5)}
    world.render = lambda _: changed
    platform["spec"]["image"] = {"tag": "2"}
    platform["metadata"]["annotations"] = {DRY_RUN_ANNOTATION: "true"}
    world.run()
    _, changes = plan_of(world)["ConfigMap/files"]
    assert len(changes) == CHANGES + 1
    assert changes[-1] == "and 6 more"
