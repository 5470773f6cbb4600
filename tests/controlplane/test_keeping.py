"""One platform, looked at about once a second: nothing is written without a reason, all else is kept."""

import base64
import random
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from hack.controlplane.api import Api, Object, crowding, wait
from hack.controlplane.audit import Audit
from hack.controlplane.operators import Operator
from hack.controlplane.scale import percentile, watches
from hack.controlplane.servers import ControlPlane
from payment_operator.conditions import CONDITIONS
from tests.controlplane.changes import (
    children,
    delete_and_wait,
    mentions,
    resyncs,
    same,
    settle,
    some,
    templates,
)
from tests.controlplane.conftest import Note

NAMESPACE, FRESH = "keeping", "keeping-fresh"
#: Brought by the user; the operator may read it, for its name is in the settings.
PROVIDER = "sms-provider"


@pytest.fixture(scope="module")
def operator(plane: ControlPlane, api: Api) -> Iterator[Operator]:
    """It looks after the namespaces of this module only."""
    for name in (NAMESPACE, FRESH):
        api.namespace(name)
    settings = {"SECRET_NAMES": PROVIDER}
    audit = Audit(plane.audit_log)
    audit.mark()
    with Operator(plane, number=0, namespaces=[NAMESPACE, FRESH], resync=1, settings=settings) as operator:
        wait(lambda: watches(audit), 90, "the operator's watches")
        yield operator
        assert operator.runs


@pytest.fixture(scope="module")
def platform(plane: ControlPlane, api: Api, operator: Operator) -> str:
    """The namespace of a platform that is Ready and at rest."""
    assert operator.runs
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": PROVIDER, "namespace": NAMESPACE}}
    api.apply(secret | {"stringData": {"account-sid": "a", "auth-token": "b", "from": "+100"}})
    api.declare(
        NAMESPACE,
        services={"risk-service": {"autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 9}}},
        notifications={"sms": {"provider": "twilio", "credentialsSecretRef": {"name": PROVIDER}}},
    )
    settle(api, Audit(plane.audit_log), NAMESPACE)
    return NAMESPACE


@pytest.mark.usefixtures("operator")
def test_02_all_condition_types_are_there_within_5_s(api: Api, note: Note) -> None:
    api.declare(FRESH)
    everything = {kind.type for kind in CONDITIONS}
    took = wait(lambda: set(api.conditions(FRESH)) == everything, 5, "all conditions", pause=0.05)
    wait(lambda: api.is_ready(FRESH), 60, "Ready")
    platform = api.there("PaymentPlatform", FRESH, "payments")
    assert platform["status"]["observedGeneration"] == platform["metadata"]["generation"]
    api.delete("PaymentPlatform", FRESH, "payments")
    note(f"{len(everything)} condition types after {took:.2f} s")


def test_04_an_unchanged_platform_is_not_written_to(
    api: Api, audit: Audit, platform: str, note: Note
) -> None:
    before = {key: item["metadata"]["resourceVersion"] for key, item in children(api, platform).items()}
    wait(lambda: resyncs(audit, platform) >= 3, 30, "three looks")
    assert [str(call) for call in audit.calls(platform) if call.writes] == []
    after = {key: item["metadata"]["resourceVersion"] for key, item in children(api, platform).items()}
    assert after == before
    note(f"{resyncs(audit, platform)} looks at {len(after)} children: {dict(audit.by_verb(platform))}")


@pytest.mark.parametrize("secret", ["otp-hmac-key", "redis-credentials", PROVIDER])
def test_11_a_rotated_secret_rolls_its_consumers_only(
    api: Api, platform: str, secret: str, note: Note
) -> None:
    before = templates(api, platform)
    consumers = {child for child, template in before.items() if mentions(template, secret)}
    # Redis has it as files, which it reads again.
    consumers -= {("StatefulSet", "redis")}
    assert consumers
    key = next(iter(api.there("Secret", platform, secret)["data"]))
    api.patch("Secret", platform, secret, {"stringData": {key: secrets.token_hex(16)}})

    def rolled() -> set[tuple[str, str]]:
        now = templates(api, platform)
        return {child for child in now if not same(now[child], before[child])}

    took = wait(lambda: rolled() >= consumers, 30, f"{secret} rolls {consumers}")
    wait(lambda: api.is_ready(platform), 30, "Ready")
    assert rolled() == consumers
    note(f"{secret}: {len(consumers)} of {len(before)} workloads rolled after {took:.2f} s")


@contextmanager
def put_back(api: Api, platform: str, annotations: Mapping[str, None] | None = None) -> Iterator[None]:
    """The platform is as declared before and Ready after the block, whatever happens in it."""
    stored = api.there("PaymentPlatform", platform, "payments")["spec"]
    try:
        yield
    finally:
        live = api.there("PaymentPlatform", platform, "payments")
        body = {"metadata": {"annotations": annotations or {}}, "spec": gone(live["spec"], stored) | stored}
        api.patch("PaymentPlatform", platform, "payments", body)
        wait(lambda: api.is_ready(platform), 30, "Ready")


def gone(live: Object, stored: Object) -> Object:
    """Members that were not there before, for a merge patch."""
    return dict.fromkeys(live.keys() - stored.keys())


def test_11_passwords_rotate_on_demand_and_only_consumers_roll(api: Api, platform: str, note: Note) -> None:
    names = {"redis": "redis-credentials", "kyc": "kyc-database", "ledger": "accounts-database"}

    def content() -> dict[str, dict[str, str]]:
        return {key: api.there("Secret", platform, name)["data"] for key, name in names.items()}

    with put_back(api, platform, {"paymentplatform.dev/rotate": None}):
        before, first = templates(api, platform), content()
        waits = {"spec": {"security": {"passwordRotation": {"overlap": "2s"}}}}
        asked = {
            "metadata": {"annotations": {"paymentplatform.dev/rotate": "database-passwords@1,redis-password"}}
        }
        api.patch("PaymentPlatform", platform, "payments", waits | asked)

        def ended() -> bool:
            now = content()
            changed = all(now[key]["password"] != first[key]["password"] for key in names)
            # No pods run here, so nobody holds on to the login before.
            return changed and all(now[key].keys() == first[key].keys() for key in names)

        took = wait(ended, 60, "new passwords, and the ones before shut")
        logins = {base64.b64decode(content()[key]["username"]) for key in ("kyc", "ledger")}
        assert logins == {b"kyc_2", b"accounts_2"}
        wait(lambda: api.conditions(platform)["KeysRotated"]["reason"] == "Current", 30, "KeysRotated")

        def rolled() -> set[str]:
            after = templates(api, platform)
            return {name for kind, name in after if not same(after[kind, name], before[kind, name])}

        names_of_all = {name for _, name in before}
        untouched = {"load-balancer", "risk-service", "postgres", "redis", "kafka"}
        wait(lambda: rolled() >= names_of_all - untouched, 30, "all consumers roll, two at a time")
        assert names_of_all - rolled() == untouched
        note(f"{len(rolled())} Deployments rolled, {', '.join(sorted(untouched))} did not; {took:.1f} s")


def test_13_pause_stops_writes_and_resume_applies_what_waits(
    api: Api, audit: Audit, platform: str, note: Note
) -> None:
    with put_back(api, platform):
        api.patch("PaymentPlatform", platform, "payments", {"spec": {"paused": True}})
        wait(lambda: api.conditions(platform)["Progressing"]["reason"] == "Paused", 10, "the pause")
        audit.mark()
        api.delete("Service", platform, "kyc-service")
        more = {"spec": {"services": {"otp-service": {"replicas": 3}}}}
        api.patch("PaymentPlatform", platform, "payments", more)
        wait(lambda: resyncs(audit, platform) >= 4, 30, "four looks")
        assert [str(call) for call in audit.children_written(platform)] == []
        api.patch("PaymentPlatform", platform, "payments", {"spec": {"paused": False}})

        def applied() -> bool:
            pods = api.there("Deployment", platform, "otp-service")["spec"]["replicas"]
            return api.get("Service", platform, "kyc-service") is not None and pods == 3

        took = wait(applied, 10, "what waited")
        note(f"resumed after {took:.2f} s")
        api.patch("PaymentPlatform", platform, "payments", {"spec": {"services": {"otp-service": None}}})


def test_a_dry_run_writes_status_and_events_only(api: Api, audit: Audit, platform: str, note: Note) -> None:
    annotation = "paymentplatform.dev/dry-run"
    with put_back(api, platform, {annotation: None}):
        api.patch(
            "PaymentPlatform", platform, "payments", {"metadata": {"annotations": {annotation: "true"}}}
        )
        wait(lambda: api.conditions(platform)["Progressing"]["reason"] == "DryRun", 10, "the dry run")
        audit.mark()
        before = {key: item["metadata"]["resourceVersion"] for key, item in children(api, platform).items()}
        more = {"spec": {"services": {"otp-service": {"replicas": 4}}}}
        api.patch("PaymentPlatform", platform, "payments", more)

        def planned() -> bool:
            status = api.there("PaymentPlatform", platform, "payments")["status"]
            changes = {item["object"]: item["changes"] for item in status.get("plan", [])}
            return "spec.replicas: 1 → 4" in changes.get("Deployment/otp-service", [])

        wait(planned, 10, "the plan in the status")
        looks = resyncs(audit, platform)
        wait(lambda: resyncs(audit, platform) >= looks + 3, 30, "three looks")
        assert [str(call) for call in audit.children_written(platform)] == []
        tried = sum(call.dry_run for call in audit.calls(platform))
        assert tried > 0
        after = {key: item["metadata"]["resourceVersion"] for key, item in children(api, platform).items()}
        assert after == before
        note(f"{tried} requests marked as dry run, no other write")
        api.patch("PaymentPlatform", platform, "payments", {"spec": {"services": {"otp-service": None}}})


def test_another_level_of_the_logs_writes_one_config_map(
    api: Api, audit: Audit, platform: str, note: Note
) -> None:
    def generations() -> dict[str, int]:
        kinds = ("Deployment", "StatefulSet", "CronJob", "Job")
        found = [(kind, item["metadata"]) for kind in kinds for item in api.list(kind, platform)]
        return {f"{kind}/{metadata['name']}": metadata["generation"] for kind, metadata in found}

    def levels() -> dict[str, str]:
        found: dict[str, str] = api.there("ConfigMap", platform, "log-levels")["data"]
        return found

    with put_back(api, platform):
        before, pods = generations(), templates(api, platform)
        assert set(levels().values()) == {"INFO"}
        audit.mark()
        wanted = {"observability": {"logs": {"level": "WARNING"}}}
        mine = {"services": {"otp-service": {"logLevel": "DEBUG"}}}
        api.patch("PaymentPlatform", platform, "payments", {"spec": wanted | mine})
        took = wait(lambda: levels()["otp-service"] == "DEBUG", 10, "the levels")
        others = {level for name, level in levels().items() if name != "otp-service"}
        looks = resyncs(audit, platform)
        wait(lambda: resyncs(audit, platform) >= looks + 2, 30, "two looks")
        assert others == {"WARNING"}
        assert {(call.resource, call.name) for call in audit.children_written(platform)} == {
            ("configmaps", "log-levels")
        }
        assert generations() == before and templates(api, platform) == pods
        note(f"log-levels written after {took:.2f} s, {len(before)} workloads of the same generation")
        api.patch("PaymentPlatform", platform, "payments", {"spec": {"services": {"otp-service": None}}})


def test_16_fifty_deleted_children_come_back(
    api: Api, audit: Audit, platform: str, seed: int, soak: bool, note: Note
) -> None:
    chance = random.Random(seed)
    took: list[float] = []
    for _ in range(20 if soak else 5):
        took += delete_and_wait(api, platform, some(children(api, platform), 10, chance), 30)
        wait(lambda: api.is_ready(platform), 30, "Ready")
    p50, p95 = percentile(took, 0.5), percentile(took, 0.95)
    note(f"seed {seed}: {len(took)} children deleted, back after {p50:.2f} s (p50), {p95:.2f} s (p95)")
    assert len(took) >= 50
    assert p95 <= 5 * crowding()
    settle(api, audit, platform)


def test_17_drift_is_reverted_and_what_others_own_survives(
    api: Api, audit: Audit, platform: str, note: Note
) -> None:
    other = {"metadata": {"annotations": {"injected.example/by": "somebody"}}}
    mesh = {"spec": {"template": {"metadata": {"annotations": {"mesh.example/inject": "true"}}}}}
    api.patch("Deployment", platform, "kyc-service", other | mesh, "injector")
    api.patch("Deployment", platform, "risk-service", {"spec": {"replicas": 7}}, "autoscaler")
    image = api.there("Deployment", platform, "otp-service")["spec"]["template"]["spec"]["containers"]
    wrong = [item | {"image": "example/other:1"} for item in image]
    port = api.there("Service", platform, "kyc-service")["spec"]["ports"]
    broken = [item | {"targetPort": 9} for item in port]
    began = time.monotonic()
    api.patch("Deployment", platform, "otp-service", {"spec": {"template": {"spec": {"containers": wrong}}}})
    api.patch("Service", platform, "kyc-service", {"spec": {"ports": broken}})
    api.patch("ConfigMap", platform, "gateway-public-keys", {"data": {"jwks.json": "{}"}})

    def reverted() -> bool:
        live = api.there("Deployment", platform, "otp-service")["spec"]["template"]["spec"]["containers"]
        ports = api.there("Service", platform, "kyc-service")["spec"]["ports"]
        keys = api.there("ConfigMap", platform, "gateway-public-keys")["data"]["jwks.json"]
        return bool(live == image and ports == port) and keys != "{}"

    wait(reverted, 10, "three changes reverted")
    took = time.monotonic() - began
    audit.mark()
    wait(lambda: resyncs(audit, platform) >= 5, 30, "five looks")
    kept = api.there("Deployment", platform, "kyc-service")
    assert kept["metadata"]["annotations"]["injected.example/by"] == "somebody"
    assert kept["spec"]["template"]["metadata"]["annotations"]["mesh.example/inject"] == "true"
    assert api.there("Deployment", platform, "risk-service")["spec"]["replicas"] == 7
    note(f"drift of three objects reverted after {took:.2f} s, 7 replicas and 2 annotations survive")
