"""Defaults and quota of the operator's administrator."""

from pathlib import Path
from typing import Any

import pytest

from payment_operator.errors import InvalidDefaults, QuotaExceeded
from payment_operator.pace import LATER
from payment_operator.shared import Shared, SharedFile, check_platforms, check_quota, merged, pods, read
from tests.unit.operator.builders import deployment, stateful_set, wanted
from tests.unit.operator.world import World

MIRROR = {"image": {"registry": "mirror.example"}}


@pytest.mark.parametrize(
    ("defaults", "spec", "expected"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 0}}, {"a": {"x": 0, "y": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"x": 1}}, {"a": False}, {"a": False}),
        (
            {"p": {"mode": "External", "external": {"url": "u"}}},
            {"p": {"mode": "Builtin"}},
            {"p": {"mode": "Builtin"}},
        ),
        (
            {"p": {"enabled": True, "mode": "External"}},
            {"p": {"n": 1}},
            {"p": {"enabled": True, "mode": "External", "n": 1}},
        ),
    ],
)
def test_what_is_declared_wins_member_by_member(
    defaults: dict[str, Any], spec: dict[str, Any], expected: dict[str, Any]
) -> None:
    before = repr((defaults, spec))
    assert merged(defaults, spec) == expected
    assert repr((defaults, spec)) == before


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "YAML"),
        ("[]", "members"),
        ("more: 1", "no other"),
        ("spec: [1]", "spec is as in"),
        ("quota: {cpu: 1}", "quota has the members pods and platforms"),
        ("quota: {pods: 0}", "quota.pods"),
        ("quota: {pods: true}", "quota.pods"),
        ("quota: {platforms: 0}", "quota.platforms"),
        ("spec: {profile: dev}", "spec.profile"),
        ("spec: {postgres: {storage: {size: 1Gi}}}", "spec.postgres"),
        ("spec: {image: {registri: x}}", "spec.image.registri"),
    ],
)
def test_what_is_wrong_is_named(text: str, word: str) -> None:
    with pytest.raises(InvalidDefaults, match=word):
        read(text)


def test_a_file_may_come_change_and_go(tmp_path: Path) -> None:
    path = tmp_path / "defaults.yaml"
    shared = SharedFile(path)
    assert shared() == Shared()
    path.write_text("spec: {image: {registry: mirror.example}}\nquota: {pods: 9}\n")
    assert shared() == Shared(MIRROR, 9)
    path.write_text("quota: {platforms: 2}\n")
    assert shared() == Shared(platforms=2)
    path.write_text("")
    assert shared() == Shared()
    path.unlink()
    assert shared() == Shared()


def scaler(ceiling: int) -> dict[str, Any]:
    return wanted("HorizontalPodAutoscaler", "a", 3, spec={"minReplicas": 1, "maxReplicas": ceiling}).body


def test_pods_are_counted_by_their_ceiling() -> None:
    bodies = [deployment("a", wanted_pods=3)[0].body, stateful_set("a")[0].body, wanted("Service", "a").body]
    assert pods(bodies) == 4
    assert pods([*bodies, scaler(7)]) == pods([scaler(7), *bodies]) == 8


def test_a_quota_stops_growth_and_takes_nothing_away() -> None:
    small, large = deployment("a", wanted_pods=2)[0].body, deployment("a", wanted_pods=5)[0].body
    check_quota(Shared(), [large], [])
    check_quota(Shared(pods=5), [large], [])
    check_quota(Shared(pods=1), [small], [large])
    check_quota(Shared(pods=1), [large], [large])
    with pytest.raises(QuotaExceeded, match="up to 5 pods, the operator's quota is 4"):
        check_quota(Shared(pods=4), [large], [small])


def test_a_platform_beyond_the_quota_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    world = World.fake(tmp_path)
    world.declare()
    world.reconciler._shared = lambda: Shared(pods=3)
    world.run()
    assert world.condition("Degraded") == ("True", "QuotaExceeded")
    assert not any(entry.startswith("apply Deployment") for entry in world.writes)
    world.reconciler._shared = lambda: Shared(pods=4)
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")


def platform(
    namespace: str, created: int, name: str = "payments", release: str = "", **more: str
) -> dict[str, Any]:
    """As the API server stores one."""
    times = {"creationTimestamp": f"2026-01-01T00:00:{created:02}Z"} | more
    status = {"status": {"release": release}} if release else {}
    return {"metadata": {"namespace": namespace, "name": name} | times} | status


def test_the_oldest_platforms_and_those_that_run_go_first() -> None:
    first, second, third = platform("b", 1), platform("a", 2), platform("c", 3)
    all_ = [third, second, first]
    check_platforms(Shared(), third, all_)
    check_platforms(Shared(platforms=3), third, all_)
    check_platforms(Shared(platforms=2), second, all_)
    with pytest.raises(QuotaExceeded, match="quota is 2 platforms and 2 come before"):
        check_platforms(Shared(platforms=2), third, all_)
    # One that goes, and the second one of a namespace, take no place.
    check_platforms(Shared(platforms=2), third, [platform("b", 1, deletionTimestamp="now"), second, third])
    check_platforms(Shared(platforms=2), third, [first, platform("b", 2, "younger"), third])
    check_platforms(Shared(platforms=1), third, [third, platform("c", 4, "younger", release="0.1.0")])
    # A younger one that runs does: the limit may have been lowered.
    with pytest.raises(QuotaExceeded):
        check_platforms(Shared(platforms=1), first, [first, platform("a", 2, release="0.1.0")])


def test_one_platform_too_many_waits_until_another_one_goes(tmp_path: Path) -> None:
    world = World.fake(tmp_path)
    other = platform("elsewhere", 1)["metadata"] | {"creationTimestamp": "2025-12-31T00:00:00Z"}
    world.cluster.put("PaymentPlatform", "elsewhere", "payments", metadata=other, spec={"profile": "dev"})
    world.reconciler._shared = lambda: Shared(platforms=1)
    world.declare()
    for _ in range(2):
        assert world.run() == LATER
        assert world.condition("Ready") == ("False", "QuotaExceeded")
        assert world.condition("Degraded") == ("True", "QuotaExceeded")
    assert {kind for kind, _, _ in world.cluster.objects} <= {"PaymentPlatform", "Event"}
    del world.cluster.objects["PaymentPlatform", "elsewhere", "payments"]
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
    assert world.condition("Degraded") == ("False", "AsDeclared")


def test_an_install_that_has_begun_goes_on_under_a_lower_limit(tmp_path: Path) -> None:
    world = World.fake(tmp_path)
    world.declare()
    world.run()
    for number in (1, 2):
        metadata = {"creationTimestamp": f"2025-12-0{number}T00:00:00Z", "namespace": f"space-{number}"}
        world.cluster.put("PaymentPlatform", f"space-{number}", "payments", metadata=metadata)
    world.reconciler._shared = lambda: Shared(platforms=1)
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")


def test_defaults_reach_the_chart(tmp_path: Path) -> None:
    world = World.fake(tmp_path)
    seen: list[Any] = []
    render = world.render

    def noting(values: dict[str, Any]) -> list[dict[str, Any]]:
        seen.append(values["image"]["registry"])
        return render(values)

    world.render = noting
    world.reconciler._shared = lambda: Shared(MIRROR)
    world.declare()
    world.settle()
    world.cluster.objects["PaymentPlatform", "shop", "payments"]["spec"]["image"] = {
        "registry": "own.example"
    }
    world.run()
    assert seen[0] == "mirror.example"
    assert seen[-1] == "own.example"
