"""Plans: waves on install and upgrade, everything at once on repair, prune, conflicts."""

from payment_operator.kinds import Ref
from payment_operator.plan import Rollout, plan
from tests.unit.operator.builders import (
    applied,
    by_ref,
    deployment,
    job,
    stateful_set,
    wanted,
    without_hash,
)

INSTALL = Rollout(new_release=True, installed=False)
UPGRADE = Rollout(new_release=True, installed=True)
REPAIR = Rollout(new_release=False, installed=True)
NOBODY: frozenset[Ref] = frozenset()

CONFIG = wanted("ConfigMap", "files", 0, data={"a": "1"})
POSTGRES, POSTGRES_LIVE = stateful_set("postgres")
MIGRATE, MIGRATE_LIVE = job("migrate-1", "migrations")
GATEWAY, GATEWAY_LIVE = deployment("api-gateway")
ENTRY = wanted("Service", "load-balancer", 4, spec={"type": "ClusterIP"})
ALL = (ENTRY, GATEWAY, MIGRATE, POSTGRES, CONFIG)
ALL_LIVE = by_ref(applied(CONFIG), POSTGRES_LIVE, MIGRATE_LIVE, GATEWAY_LIVE, applied(ENTRY))


def names(items: object) -> list[str]:
    return [str(getattr(item, "ref", item)) for item in items]  # type: ignore[attr-defined]


def test_an_unchanged_platform_needs_nothing() -> None:
    for rollout in (INSTALL, UPGRADE, REPAIR):
        result = plan(ALL, ALL_LIVE, NOBODY, rollout)
        assert (result.apply, result.prune, result.waits, result.wave) == ((), (), (), None)


def test_install_goes_wave_by_wave() -> None:
    live = by_ref()
    assert names(plan(ALL, live, NOBODY, INSTALL).apply) == ["ConfigMap/files"]
    live = by_ref(applied(CONFIG))
    assert names(plan(ALL, live, NOBODY, INSTALL).apply) == ["StatefulSet/postgres"]
    _, starting = stateful_set("postgres", ready=0)
    waiting = plan(ALL, by_ref(applied(CONFIG), starting), NOBODY, INSTALL)
    assert (waiting.apply, waiting.wave) == ((), 1)
    assert waiting.waits == ("StatefulSet/postgres has 0/1 pods ready",)
    live = by_ref(applied(CONFIG), POSTGRES_LIVE)
    assert names(plan(ALL, live, NOBODY, INSTALL).apply) == ["Job/migrate-1"]


def test_install_waits_for_a_dependency_outside_of_the_cluster() -> None:
    live = by_ref(applied(CONFIG), POSTGRES_LIVE)
    result = plan(ALL, live, NOBODY, INSTALL, ("kafka:9092 does not answer",))
    assert (result.apply, result.waits) == ((), ("kafka:9092 does not answer",))


def test_a_failed_job_holds_an_upgrade_and_the_old_version_stays() -> None:
    _, failed = job("migrate-1", "migrations", state="Failed")
    live = ALL_LIVE | by_ref(failed, without_hash(GATEWAY_LIVE))
    result = plan(ALL, live, NOBODY, UPGRADE)
    assert (result.apply, result.wave) == ((), 2)
    assert "failed" in result.waits[0]


def test_what_is_missing_during_an_upgrade_is_made_at_once() -> None:
    _, dead = stateful_set("postgres", ready=0)
    live = {ref: item for ref, item in (ALL_LIVE | by_ref(dead)).items() if ref != GATEWAY.ref}
    result = plan(ALL, live, NOBODY, UPGRADE)
    assert names(result.apply) == ["Deployment/api-gateway"]
    assert result.waits


def test_repair_applies_every_wave_while_a_dependency_is_dead() -> None:
    _, dead = stateful_set("postgres", ready=0)
    live = by_ref(dead, without_hash(applied(ENTRY)))
    result = plan(ALL, live, NOBODY, REPAIR)
    assert names(result.apply) == [
        "ConfigMap/files",
        "Job/migrate-1",
        "Deployment/api-gateway",
        "Service/load-balancer",
    ]
    assert result.waits == ()


def test_drift_is_found_by_ownership_of_fields() -> None:
    taken = applied(ENTRY)
    del taken["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:type"]
    taken["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:other"] = {}
    assert names(plan(ALL, ALL_LIVE | by_ref(taken), NOBODY, REPAIR).apply) == ["Service/load-balancer"]


def test_a_child_that_is_going_is_left_to_go() -> None:
    going = without_hash(applied(CONFIG))
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert plan(ALL, ALL_LIVE | by_ref(going), NOBODY, REPAIR).apply == ()


def test_surplus_is_pruned_but_not_what_old_pods_may_still_use() -> None:
    old_config, old_scaler = (
        applied(wanted("ConfigMap", "old")),
        applied(wanted("HorizontalPodAutoscaler", "old")),
    )
    live = ALL_LIVE | by_ref(old_config, old_scaler)
    assert names(plan(ALL, live, NOBODY, REPAIR).prune) == ["ConfigMap/old", "HorizontalPodAutoscaler/old"]
    _, rolling = deployment("api-gateway", ready=0)
    live |= by_ref(rolling)
    assert names(plan(ALL, live, NOBODY, REPAIR).prune) == ["HorizontalPodAutoscaler/old"]
    assert plan(ALL, live, NOBODY, UPGRADE).prune == ()


def test_somebody_elses_object_is_never_applied_and_holds_the_install() -> None:
    foreign = frozenset({CONFIG.ref})
    result = plan(ALL, by_ref(), foreign, INSTALL)
    assert (result.apply, result.conflicts) == ((), (CONFIG.ref,))
    assert result.waits == ("ConfigMap/files belongs to somebody else",)
    repair = plan(ALL, {ref: item for ref, item in ALL_LIVE.items() if ref != CONFIG.ref}, foreign, REPAIR)
    assert (repair.apply, repair.conflicts) == ((), (CONFIG.ref,))
