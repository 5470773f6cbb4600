"""Conditions from a look: each cause, its name and its fix; transition times; nothing secret."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from payment_operator.conditions import CONDITIONS
from payment_operator.errors import ApiError, MissingCredentials, OperatorError, RenderFailed
from payment_operator.kinds import Ref
from payment_operator.manifest import Manifest
from payment_operator.observe import Observed
from payment_operator.plan import Plan
from payment_operator.rotate import Standing
from payment_operator.status import changed, conflict, status_of
from payment_operator.values import parse
from payment_operator.view import View
from tests.unit.operator.builders import Object, by_ref, deployment, job, stateful_set

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
RELEASE = {"version": "0.1.0", "release": "0.1.0"}


def pairs(**ready: int) -> list[tuple[Manifest, Object]]:
    """A whole small platform; ``ready`` says how many pods of a workload are."""
    return [
        *(stateful_set(name, ready=ready.get(name, 1)) for name in ("postgres", "redis", "kafka")),
        job("migrate-1", "migrations"),
        job("topics-1", "topics"),
        deployment("api-gateway", ready=ready.get("gateway", 1)),
        deployment("audit-service", ready=ready.get("audit", 1)),
    ]


def payer(at: datetime, **told: Any) -> Object:
    """A pod that made a synthetic payment."""
    line = json.dumps({"ok": True, "message": "paid", "latencyMilliseconds": 180} | told)
    ended = {"terminated": {"finishedAt": at.isoformat(), "message": line}}
    labels = {"app.kubernetes.io/component": "payment-path"}
    metadata = {"name": "payer", "labels": labels, "creationTimestamp": at.isoformat()}
    return {"metadata": metadata, "status": {"containerStatuses": [{"state": ended}]}}


def look(objects: list[tuple[Manifest, Object]], **fields: Any) -> View:
    """A look at these objects, all of them wanted."""
    view = View(
        namespace="shop",
        generation=3,
        now=NOW,
        previous=RELEASE,
        version="0.1.0",
        release="0.1.0",
        spec=parse({"profile": "dev"}),
        secrets_found=True,
        rotations=(Standing("signing-keys", "Current", "key k in use"),),
        desired=[item for item, _ in objects],
        observed=Observed(by_ref(*(live for _, live in objects)), frozenset(), [payer(NOW)]),
    )
    return replace(view, **fields)


def found(view: View) -> dict[str, tuple[str, str, str]]:
    """Conditions by type."""
    return {
        item["type"]: (item["status"], item["reason"], item["message"])
        for item in status_of(view)["conditions"]
    }


def test_a_healthy_platform() -> None:
    status = status_of(look(pairs()))
    assert {item["type"]: item["status"] for item in status["conditions"]} == {
        kind.type: "Unknown"
        if kind.type in ("Restored", "BackupsCurrent", "ObservabilityReady")
        else kind.healthy
        for kind in CONDITIONS
    }
    assert status["services"] == {"ready": "2/2", "available": 2, "total": 2}
    assert (status["version"], status["release"], status["observedGeneration"]) == ("0.1.0", "0.1.0", 3)


def test_before_the_first_look_every_type_is_there() -> None:
    view = View(namespace="shop", generation=1, now=NOW, previous={}, version="0.1.0")
    status = status_of(view)
    assert [item["type"] for item in status["conditions"]] == [kind.type for kind in CONDITIONS]
    assert {item["status"] for item in status["conditions"]} == {"Unknown"}
    assert "version" not in status
    assert all(len(item["message"]) <= 1000 and item["reason"] for item in status["conditions"])


@pytest.mark.parametrize(("name", "condition"), [("redis", "RedisReady"), ("kafka", "KafkaReady")])
def test_a_dead_redis_or_kafka_degrades_but_payments_go_on(name: str, condition: str) -> None:
    conditions = found(look(pairs(**{name: 0})))
    assert conditions[condition][:2] == ("False", "NotReady")
    assert f"describe pod -l app.kubernetes.io/name={name}" in conditions[condition][2]
    assert conditions["Ready"][0] == "True"
    assert conditions["Degraded"][:2] == ("True", condition.replace("Ready", "NotReady"))


def test_a_dead_postgres_ends_ready_and_is_its_named_cause() -> None:
    conditions = found(look(pairs(postgres=0)))
    assert conditions["PostgresReady"][0] == "False"
    assert conditions["Ready"][:2] == ("False", "PostgresNotReady")


def test_one_silent_service_ends_ready_but_not_the_audit() -> None:
    assert found(look(pairs(gateway=0)))["Ready"][:2] == ("False", "ServicesNotReady")
    conditions = found(look(pairs(audit=0)))
    assert conditions["Ready"][0] == "True"
    assert conditions["ServicesReady"][0] == "False"
    assert "audit-service" in conditions["ServicesReady"][2]


def test_install_progresses_and_says_what_it_waits_for() -> None:
    waits = ("StatefulSet/kafka has 0/1 pods ready",)
    view = look(pairs(kafka=0)[:3], previous={}, plan=Plan(waits=waits, wave=1))
    view = replace(view, desired=[item for item, _ in pairs()])
    conditions = found(view)
    assert conditions["Progressing"] == ("True", "Installing", f"wave 1: {waits[0]}")
    assert conditions["Ready"][0] == "False"
    assert conditions["MigrationsApplied"][:2] == ("False", "Waiting")
    assert conditions["Degraded"][0] == "False"
    assert "release" not in status_of(view)


def test_a_failed_migration_names_the_log_and_keeps_the_old_version() -> None:
    objects = [*pairs()[:3], job("migrate-2", "migrations", state="Failed"), *pairs()[4:]]
    view = look(objects, release="0.1.0 (*:2)", plan=Plan(waits=("Job/migrate-2 failed: x",), wave=2))
    conditions = found(view)
    assert conditions["MigrationsApplied"][:2] == ("False", "JobFailed")
    assert "kubectl -n shop logs job/migrate-2" in conditions["MigrationsApplied"][2]
    assert conditions["Degraded"][:2] == ("True", "MigrationsFailed")
    assert conditions["Ready"][0] == "True"
    assert status_of(view)["release"] == "0.1.0"


def test_a_migration_that_never_succeeds_is_told_before_the_job_gives_up() -> None:
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off"}
    pod = {
        "metadata": {
            "name": "migrate-2-x",
            "creationTimestamp": "2026-01-01T11:59:00Z",
            "labels": {"batch.kubernetes.io/job-name": "migrate-2"},
        },
        "status": {"containerStatuses": [{"state": {"waiting": waiting}}]},
    }
    objects = [*pairs()[:3], job("migrate-2", "migrations", state="Running"), *pairs()[4:]]
    view = look(objects, plan=Plan(waits=("Job/migrate-2 runs",), wave=2))
    conditions = found(replace(view, observed=replace(view.observed, pods=[pod])))
    assert conditions["MigrationsApplied"][:2] == ("False", "JobFailing")
    assert "CrashLoopBackOff" in conditions["MigrationsApplied"][2]
    assert conditions["Degraded"][:2] == ("True", "MigrationsFailed")


def test_a_bad_image_degrades_while_the_old_pods_serve() -> None:
    status = {
        "containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull", "message": "no such tag"}}}]
    }
    pod = {
        "metadata": {"name": "api-gateway-x", "creationTimestamp": "2026-01-01T11:59:00Z"},
        "status": status,
    }
    view = look(pairs(), plan=Plan(waits=("Deployment/api-gateway rolls out",), wave=3))
    view = replace(view, observed=replace(view.observed, pods=[pod]))
    conditions = found(view)
    assert conditions["Degraded"][:2] == ("True", "PodsFailing")
    assert "no such tag" in conditions["Degraded"][2]
    assert conditions["Ready"][0] == "True"


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (
            RenderFailed("the chart refuses the spec: postgres.maxConnections: 20 is too small"),
            "RenderFailed",
        ),
        (MissingCredentials("Secret pg of spec.x does not exist: create it"), "SecretMissing"),
        (ApiError(403, "forbidden"), "ApiError"),
    ],
)
def test_a_problem_is_told_in_its_own_words(problem: OperatorError, reason: str) -> None:
    fresh = found(look([], previous={}, problem=problem, secrets_found=False))
    assert fresh["Degraded"] == ("True", reason, str(problem))
    assert fresh["Ready"] == ("False", reason, str(problem))
    running = found(look(pairs(), desired=(), problem=problem))
    assert running["Degraded"][:2] == ("True", reason)
    assert running["Ready"][0] == "True"


def test_names_taken_and_refusals() -> None:
    taken = found(look(pairs(), plan=Plan(conflicts=(Ref("Service", "redis"),))))
    assert taken["Degraded"][:2] == ("True", "NameTaken")
    assert "kubectl -n shop delete service/redis" in taken["Degraded"][2]
    refusal = {Ref("Service", "redis"): ApiError(422, "spec.ports: taken")}
    refused = found(look(pairs(), refused=refusal))
    assert refused["Degraded"] == (
        "True",
        "ApplyFailed",
        "the API server refused Service/redis: spec.ports: taken",
    )


def test_an_external_dependency() -> None:
    spec = parse(
        {"profile": "dev", "kafka": {"mode": "External", "external": {"bootstrapServers": "k:9092"}}}
    )
    assert found(look(pairs(), spec=spec))["KafkaReady"][:2] == ("True", "Reachable")
    down = found(look(pairs(), spec=spec, unreachable={"kafka": "k:9092 does not answer (timed out)"}))
    assert down["KafkaReady"][:2] == ("False", "Unreachable")
    assert "spec.kafka.external" in down["KafkaReady"][2]


def test_pause_is_told_with_what_waits() -> None:
    spec = parse({"profile": "dev", "paused": True})
    conditions = found(look(pairs(), spec=spec, plan=Plan(apply=(pairs()[0][0],))))
    assert conditions["Progressing"][:2] == ("False", "Paused")
    assert "1 changes wait" in conditions["Progressing"][2]


def test_a_service_that_was_scaled_away_while_paused_is_missed() -> None:
    objects = pairs()
    item, live = objects[5]
    gone = deployment("api-gateway", ready=0, wanted_pods=0)[1]
    objects[5] = (item, live | {"spec": gone["spec"], "status": gone["status"]})
    paused = parse({"profile": "dev", "paused": True})
    view = look(objects, spec=paused, plan=Plan(apply=(item,)))
    conditions = found(view)
    assert conditions["ServicesReady"][:2] == ("False", "NotReady")
    assert "api-gateway" in conditions["ServicesReady"][2]
    assert conditions["Ready"][:2] == ("False", "ServicesNotReady")
    assert conditions["Progressing"][:2] == ("False", "Paused")
    assert status_of(view)["services"]["ready"] == "1/2"


def test_two_of_three_brokers_are_enough_but_need_a_person() -> None:
    objects = pairs()
    objects[2] = stateful_set("kafka", ready=2, wanted_pods=3)
    conditions = found(look(objects))
    assert conditions["KafkaReady"][:2] == ("True", "Reduced")
    assert conditions["Degraded"][0] == "True"


def test_transition_times_move_with_the_status_only() -> None:
    before = status_of(look(pairs()))
    later = datetime(2026, 1, 1, 13, tzinfo=UTC)
    same = look(pairs(), now=later, previous=before)
    same = replace(same, observed=replace(same.observed, pods=[payer(later)]))
    assert not changed(status_of(same), before)
    worse = {
        item["type"]: item
        for item in status_of(look(pairs(redis=0), now=later, previous=before))["conditions"]
    }
    assert worse["RedisReady"]["lastTransitionTime"] == "2026-01-01T13:00:00Z"
    assert worse["KafkaReady"]["lastTransitionTime"] == "2026-01-01T12:00:00Z"


def test_a_second_platform_is_told_who_was_first() -> None:
    status = conflict(look([], previous={}), "older")
    conditions = {item["type"]: item for item in status["conditions"]}
    assert (conditions["Ready"]["status"], conditions["Ready"]["reason"]) == ("False", "Conflict")
    assert "PaymentPlatform older" in conditions["Ready"]["message"]
    assert len(conditions) == len(CONDITIONS)


def paths(*pods: Object, **spec: Any) -> tuple[str, str, str]:
    """PaymentPathReady with these pods."""
    observed = Observed(by_ref(*(live for _, live in pairs())), frozenset(), list(pods))
    return found(look(pairs(), observed=observed, spec=parse({"profile": "dev"} | spec)))["PaymentPathReady"]


def test_the_payment_path_says_how_fast_or_why_not() -> None:
    old, new = NOW - timedelta(minutes=6), NOW - timedelta(minutes=1)
    good = payer(new)
    assert paths(payer(old, ok=False), good)[:2] == ("True", "Paid")
    assert "under 250 ms" in paths(good)[2]
    status, reason, text = paths(payer(old), payer(new, ok=False, message="confirm: 503 service_unavailable"))
    assert (status, reason) == ("False", "PaymentFailed")
    assert "503 service_unavailable" in text and "kubectl -n shop logs" in text
    failed = look(
        pairs(), observed=Observed(by_ref(*(o for _, o in pairs())), frozenset(), [payer(new, ok=False)])
    )
    assert found(failed)["Degraded"][:2] == ("True", "PaymentPathNotReady")
    assert found(failed)["Ready"][0] == "True"


def test_the_payment_path_is_unknown_when_nobody_looked() -> None:
    assert paths()[:2] == ("Unknown", "Waiting")
    assert paths(payer(NOW - timedelta(minutes=18)))[:2] == ("Unknown", "Stale")
    off = {"health": {"syntheticPayment": {"enabled": False}}}
    assert paths(payer(NOW), **off)[:2] == ("Unknown", "Disabled")
    hourly = {"health": {"syntheticPayment": {"interval": "1h"}}}
    assert paths(payer(NOW - timedelta(minutes=18)), **hourly)[:2] == ("True", "Paid")


def test_latency_of_the_same_class_is_no_news() -> None:
    texts = {paths(payer(NOW, latencyMilliseconds=ms))[2] for ms in range(250, 500, 10)}
    assert len(texts) == 1
    assert "over 10 s" in paths(payer(NOW, latencyMilliseconds=12_000))[2]
