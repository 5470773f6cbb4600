"""Upgrades of a whole platform against a cluster in memory; a new operator takes over at every look."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from payment_operator import keys
from payment_operator.catalog import secret_kinds
from payment_operator.cluster import Cluster
from payment_operator.desire import Desire
from payment_operator.director import Director
from payment_operator.reconcile import Reconciler
from payment_operator.render import ClusterVersion, Renderer
from payment_operator.versions import Versions
from tests.unit.operator.builders import Object, document
from tests.unit.operator.world import PLATFORM_LABELS, Managed, World


def labelled(kind: str, name: str, wave: int, version: str, component: str = "", **fields: Any) -> Object:
    labels = {"app.kubernetes.io/name": name.split("-0")[0], "app.kubernetes.io/version": version}
    labels |= PLATFORM_LABELS | {"app.kubernetes.io/component": component or name}
    return document(kind, name, wave, labels=labels, **fields)


def probe(name: str, version: str) -> Object:
    found = labelled("Job", f"{name}-{version.replace('.', '')}", 2, version, name, spec={"image": version})
    found["metadata"]["annotations"]["paymentplatform.dev/phase"] = name
    return found


def chart(version: str) -> list[Object]:
    """A platform of one version: everything names it."""
    return [
        labelled("ConfigMap", "postgres", 0, version, data={"a": version}),
        labelled("ConfigMap", "nginx", 0, version, data={"a": version}),
        *(
            labelled("StatefulSet", name, 1, version, spec={"replicas": 1, "image": version})
            for name in ("postgres", "redis", "kafka")
        ),
        labelled("Job", f"migrate-{version}", 2, version, "migrations", spec={"image": version}),
        labelled("Deployment", "api-gateway", 3, version, spec={"replicas": 1, "image": version}),
        *(
            [labelled("Deployment", "new-service", 3, version, spec={"replicas": 1})]
            if version > "0.1.9"
            else []
        ),
        probe("preflight", version),
        probe("smoke", version),
    ]


class Upgraded(World):
    """A platform whose operator is another one at each look; it carries 0.1.0, 0.2.0 and 0.3.0."""

    folder: Path
    platform: Object

    @classmethod
    def at_rest(cls, folder: Path) -> "Upgraded":
        for version, follows in (("0.1.0", ""), ("0.2.0", "0.1"), ("0.3.0", "0.2")):
            (folder / version).mkdir()
            notes = f'annotations:\n  paymentplatform.dev/upgrades-from: "{follows}"\n'
            (folder / version / "Chart.yaml").write_text(f"version: {version}\n{notes}")
        world = cls(Managed(), cls.renderer(folder / "0.1.0"))
        world.folder = folder
        world.now = datetime(2026, 1, 1, tzinfo=UTC)
        world.restart()
        world.platform = world.declare()
        world.settle()
        return world

    @staticmethod
    def renderer(folder: Path) -> Renderer:
        def run(command: Any, _: str, __: float) -> str:
            return "\n---\n".join(json.dumps(item) for item in chart(Path(command[3]).name))

        return Renderer(folder, helm="helm", timeout=1.0, run=run)

    def restart(self, *carried: str) -> None:
        """Another operator, which remembers nothing."""
        reader = cast(Cluster, self.cluster)
        renderers = [self.renderer(self.folder / name) for name in carried or ("0.1.0", "0.2.0", "0.3.0")]
        versions = Versions(renderers, default=renderers[0].version)
        desire = Desire(reader, versions, secret_kinds(["payments"]), lambda: ClusterVersion("v1.34.0", ()))
        self.reconciler = Reconciler(reader, Director(reader, desire), lambda: self.now)

    def name(self, version: str | None) -> None:
        """Name a version in the spec."""
        self.platform["spec"] = {"profile": "dev"} | ({"version": version} if version else {})
        self.platform["metadata"]["generation"] += 1

    def look(self, seconds: float = 4) -> str:
        """One reconcile by a new operator; the phase after it."""
        self.now += timedelta(seconds=seconds)
        self.restart()
        self.run()
        return str(self.upgrade.get("phase"))

    def until(self, phase: str) -> list[str]:
        """Look until a phase; those on the way."""
        seen = [self.look()]
        while seen[-1] != phase:
            assert len(seen) < 40, seen
            seen.append(self.look())
        return list(dict.fromkeys(seen))

    @property
    def status(self) -> Object:
        found: Object = self.cluster.objects["PaymentPlatform", "shop", "payments"]["status"]
        return found

    @property
    def upgrade(self) -> Object:
        return cast(Object, self.status.get("upgrade", {}))

    def versions(self) -> dict[str, str]:
        """Version by object, Secrets and what is made of them aside."""
        return {
            f"{kind}/{name}": item["metadata"]["labels"]["app.kubernetes.io/version"]
            for (kind, _, name), item in self.cluster.objects.items()
            if "app.kubernetes.io/version" in item["metadata"].get("labels", {})
        }

    def undo(self, kind: str, name: str) -> Object:
        """The controller has not finished the object."""
        item = self.cluster.objects[kind, "shop", name]
        item["status"] = {"conditions": [], "observedGeneration": 1}
        return item

    def pod(self, name: str, labels: Object, **container: Any) -> None:
        """A pod with one container, made now."""
        metadata = {"labels": PLATFORM_LABELS | labels, "creationTimestamp": self.now.isoformat()}
        statuses = {"containerStatuses": [container]}
        self.cluster.put("Pod", "shop", name, metadata=metadata, status=statuses)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upgraded:
    monkeypatch.setattr(keys, "RSA_BITS", 1024)
    return Upgraded.at_rest(tmp_path)


def test_an_install_runs_no_probe_and_records_what_is_good(world: Upgraded) -> None:
    assert set(world.versions().values()) == {"0.1.0"}
    assert not [name for name in world.versions() if "preflight" in name or "smoke" in name]
    assert world.status["lastGood"] == {"version": "0.1.0", "release": "0.1.0", "spec": {"profile": "dev"}}
    assert "upgrade" not in world.status


def test_an_upgrade_goes_by_phases_to_the_new_version(world: Upgraded) -> None:
    world.name("0.2.0")
    phases = world.until("Done")
    assert phases == ["Preflight", "Snapshot", "Migrations", "Services", "Smoke", "Done"]
    world.settle()
    assert set(world.versions().values()) == {"0.2.0"}
    assert "Deployment/new-service" in world.versions() and "Job/migrate-0.1.0" not in world.versions()
    assert (world.status["version"], world.status["lastGood"]["spec"]["version"]) == ("0.2.0", "0.2.0")
    assert world.upgrade["snapshot"] == "none" and world.upgrade["attempts"] == 1
    assert world.condition("Progressing") == ("False", "Complete")
    world.run()
    assert world.cluster.log == []


def test_nothing_changes_before_the_preflight_is_through(world: Upgraded) -> None:
    world.name("0.2.0")
    world.cluster.ready = False
    for _ in range(5):
        assert world.look() == "Preflight"
    changed = {name for name, version in world.versions().items() if version != "0.1.0"}
    assert changed == {"Job/preflight-020-1"}
    assert world.condition("Progressing") == ("True", "Upgrading")
    assert world.condition("Ready") == ("True", "Ready")


def test_services_stay_until_migrations_are_through_and_are_healed_as_they_were(world: Upgraded) -> None:
    world.name("0.2.0")
    world.until("Migrations")
    world.cluster.ready = False
    for _ in range(6):
        world.look()
    assert world.versions()["Deployment/api-gateway"] == "0.1.0"
    del world.cluster.objects["Deployment", "shop", "api-gateway"]
    assert world.look() == "Migrations"
    assert world.versions()["Deployment/api-gateway"] == "0.1.0"


def test_a_failed_preflight_touches_nothing_and_says_why(world: Upgraded) -> None:
    world.name("0.2.0")
    world.cluster.ready = False
    world.look()
    job = world.cluster.objects["Job", "shop", "preflight-020-1"]
    job["status"]["conditions"] = [{"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}]
    found = {"checks": [{"name": "schema", "ok": False, "message": "newer than this version"}]}
    ended = {"terminated": {"message": json.dumps(found)}}
    world.pod("p", {"batch.kubernetes.io/job-name": "preflight-020-1"}, state=ended)
    assert world.look() == "RolledBack"
    world.cluster.ready = True
    world.settle()
    assert set(world.versions().values()) == {"0.1.0"}
    assert world.upgrade["reason"] == "Preflight: schema: newer than this version"
    assert world.upgrade["preflight"] == found["checks"]
    assert world.condition("Degraded") == ("True", "UpgradeFailed")
    events = [item for (kind, _, _), item in world.cluster.objects.items() if kind == "Event"]
    assert any(item["reason"] == "UpgradeFailed" and "schema" in item["message"] for item in events)


def crash(world: Upgraded) -> None:
    """The new gateway does not start."""
    world.undo("Deployment", "api-gateway")
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    ended = {"terminated": {"message": "KeyError: 'X'"}}
    labels = {"app.kubernetes.io/name": "api-gateway"}
    world.pod("api-gateway-2", labels, state=waiting, lastState=ended, restartCount=2)


def test_services_that_do_not_start_go_back_and_data_does_not(world: Upgraded) -> None:
    world.name("0.2.0")
    world.until("Services")
    for _ in range(3):
        if world.versions()["Deployment/api-gateway"] == "0.1.0":
            world.look()
    crash(world)
    assert world.look() == "RollingBack"
    del world.cluster.objects["Pod", "shop", "api-gateway-2"]
    world.until("RolledBack")
    world.settle()
    versions = world.versions()
    assert versions["Deployment/api-gateway"] == versions["ConfigMap/nginx"] == "0.1.0"
    assert {versions[f"StatefulSet/{name}"] for name in ("postgres", "redis", "kafka")} == {"0.2.0"}
    assert versions["ConfigMap/postgres"] == "0.2.0"
    assert "Deployment/new-service" not in versions and "Job/migrate-0.2.0" not in versions
    assert world.upgrade["reason"] == "Services: pod api-gateway-2: CrashLoopBackOff: KeyError: 'X'"
    assert (world.status["version"], world.status["release"]) == ("0.1.0", "0.1.0")
    for _ in range(3):
        assert world.look(3600) == "RolledBack"
        assert world.cluster.log == []


def test_after_a_rollback_old_migrations_never_run_again(world: Upgraded) -> None:
    test_services_that_do_not_start_go_back_and_data_does_not(world)
    del world.cluster.objects["Job", "shop", "migrate-0.1.0"]
    for version in ("0.2.0", None):
        world.look()
        assert "Job/migrate-0.1.0" not in world.versions()
        assert world.versions()["StatefulSet/postgres"] == "0.2.0"
        world.name(version)
        world.name(None)
    assert world.look() == "RolledBack"
    assert world.condition("Degraded")[0] == "False"


def test_another_try_on_demand_or_by_the_spec(world: Upgraded) -> None:
    test_services_that_do_not_start_go_back_and_data_does_not(world)
    world.platform["metadata"]["annotations"] = {"paymentplatform.dev/retry-upgrade": "1"}
    assert world.until("Done")[0] == "Preflight"
    assert world.upgrade["attempts"] == 2
    assert world.condition("Degraded")[0] == "False"
    assert world.status["version"] == "0.2.0"


def test_a_migration_that_fails_goes_back(world: Upgraded) -> None:
    world.name("0.2.0")
    while "Job/migrate-0.2.0" not in world.versions():
        world.look()
    assert world.upgrade["phase"] == "Migrations"
    world.undo("Job", "migrate-0.2.0")
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    ended = {"terminated": {"message": "start\npsycopg.errors.UndefinedTable"}}
    labels = {"batch.kubernetes.io/job-name": "migrate-0.2.0"}
    world.pod("m", labels, state=waiting, lastState=ended, restartCount=2)
    assert world.look() == "RollingBack"
    world.until("RolledBack")
    assert "UndefinedTable" in world.upgrade["reason"]
    assert world.versions()["Deployment/api-gateway"] == "0.1.0"
    assert "Job/migrate-0.2.0" not in world.versions()


def test_the_spec_that_goes_back_is_followed(world: Upgraded) -> None:
    world.name("0.2.0")
    world.until("Services")
    world.look()
    world.name("0.1.0")
    assert world.look() == "RollingBack"
    world.until("RolledBack")
    world.settle()
    assert world.versions()["Deployment/api-gateway"] == "0.1.0"
    assert world.condition("Degraded")[0] == "False"


@pytest.mark.parametrize(
    ("version", "reason"), [("0.3.0", "UnsupportedJump"), ("9.0.0", "UnsupportedVersion")]
)
def test_a_refused_version_keeps_what_runs_and_heals_it(world: Upgraded, version: str, reason: str) -> None:
    world.name(version)
    world.look()
    assert world.condition("Degraded") == ("True", reason)
    del world.cluster.objects["Deployment", "shop", "api-gateway"]
    world.look()
    assert world.versions()["Deployment/api-gateway"] == "0.1.0"
    assert "upgrade" not in world.status


def test_a_downgrade_is_refused(world: Upgraded) -> None:
    world.name("0.2.0")
    world.until("Done")
    world.settle()
    world.name("0.1.0")
    world.look()
    assert world.condition("Degraded") == ("True", "UnsupportedJump")
    assert set(world.versions().values()) == {"0.2.0"}


def test_without_a_version_the_platform_stays_what_it_is(world: Upgraded) -> None:
    world.name("0.2.0")
    world.until("Done")
    world.name(None)
    world.settle()
    assert set(world.versions().values()) == {"0.2.0"}
    assert world.status["version"] == "0.2.0"


def test_pause_stops_an_upgrade_where_it_is(world: Upgraded) -> None:
    world.name("0.2.0")
    world.until("Migrations")
    world.platform["spec"]["paused"] = True
    world.platform["metadata"]["generation"] += 1
    before = world.versions()
    for _ in range(5):
        assert world.look() == "Migrations"
    assert world.versions() == before
    world.platform["spec"]["paused"] = False
    assert world.until("Done")


def test_a_change_of_images_alone_goes_the_same_way(world: Upgraded) -> None:
    world.platform["spec"]["image"] = {"tag": "0.1.0-abc"}
    world.platform["metadata"]["generation"] += 1
    assert world.until("Done")[0] == "Preflight"
    assert world.status["release"] == "0.1.0 (*:0.1.0-abc)"


def test_an_operator_that_lacks_the_new_version_goes_back(world: Upgraded) -> None:
    world.name("0.2.0")
    world.until("Services")
    world.now += timedelta(seconds=4)
    world.restart("0.1.0")
    world.run()
    assert world.upgrade["phase"] == "RollingBack"
    world.run()
    world.run()
    assert world.upgrade["phase"] == "RolledBack"
    assert world.condition("Degraded") == ("True", "UnsupportedVersion")
    assert world.versions()["Deployment/api-gateway"] == "0.1.0"


@pytest.mark.parametrize(
    "spoiled", [{"profile": "dev", "later": 1}, {"profile": "dev", "image": {"tag": "x"}}]
)
def test_a_record_that_makes_no_sense_holds_nothing_up(world: Upgraded, spoiled: Object) -> None:
    world.status["lastGood"]["spec"] = spoiled
    world.name("0.2.0")
    for _ in range(8):
        world.look()
    assert world.status["lastGood"]["spec"] == {"profile": "dev", "version": "0.2.0"}
    assert set(world.versions().values()) == {"0.2.0"}
