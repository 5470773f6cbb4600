"""Rotation of passwords with a fake clock: the old one is good as long as a pod uses it, and no longer."""

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from payment_operator.errors import ApiError
from payment_operator.passwords import Login, Way, advance, other
from payment_operator.render import Renderer
from payment_operator.renew import WAYS
from payment_operator.requests import ROTATE_ANNOTATION
from tests.unit.operator.builders import Object
from tests.unit.operator.world import World

START = datetime(2026, 1, 1, tzinfo=UTC)
OVERLAP = timedelta(minutes=3)
DATABASE, REDIS, SUPERUSER = "payments-database", "redis-credentials", "postgres-superuser"


class Rotating(World):
    """A world with one pod for each Secret that it uses, which the test replaces."""

    now = START
    platform: Object
    hashes: dict[str, str]

    @classmethod
    def at_rest(cls, folder: Path, **spec: Any) -> "Rotating":
        """Installed."""
        world = cast(Rotating, cls.fake(folder))
        answer = world.render

        def render(values: Object) -> list[Object]:
            world.values = values
            world.hashes = values["operator"]["secretHashes"]
            return answer(values)

        world.render = render
        world.platform = world.declare(**spec)
        world.settle()
        for secret in (DATABASE, REDIS):
            world.pod(secret)
        return world

    values: Object

    def pod(self, secret: str, phase: str = "Running") -> None:
        """The one pod of its name begins (again) now."""
        source = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": secret, "key": "password"}}}
        created = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.cluster.put(
            *("Pod", "shop", f"uses-{secret}"),
            metadata={"creationTimestamp": created, "annotations": {}},
            spec={"containers": [{"name": "a", "env": [source]}]},
            status={"phase": phase},
        )

    def ask(self, value: str) -> None:
        """Annotate the platform."""
        self.platform["metadata"]["annotations"] = {ROTATE_ANNOTATION: value}

    def after(self, wait: timedelta) -> float | None:
        """One reconcile, later."""
        self.now += wait
        return self.run()

    def content(self, secret: str) -> dict[str, str]:
        """Of a Secret."""
        data = self.cluster.objects["Secret", "shop", secret]["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def message(self) -> str:
        """Of the condition."""
        conditions = self.cluster.objects["PaymentPlatform", "shop", "payments"]["status"]["conditions"]
        return str(next(item["message"] for item in conditions if item["type"] == "KeysRotated"))


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    yield slept


@pytest.fixture
def world(tmp_path: Path, slept: list[float]) -> Rotating:
    assert slept == []
    return Rotating.at_rest(tmp_path)


SECOND = timedelta(seconds=1)


def test_the_logins_of_a_role_change_places(world: Rotating, slept: list[float]) -> None:
    first, before = world.content(DATABASE), world.hashes
    world.ask("database-passwords@1")
    world.after(SECOND)
    changed = world.content(DATABASE)
    assert (changed["username"], changed["previous-username"]) == ("payments_2", "payments")
    assert changed["password"] != first["password"]
    moved = {name for name in before if before[name] != world.hashes[name]}
    assert moved == {DATABASE, "database-logins"}, "its consumers roll, and the logins are set"
    assert slept == [1.0], "pods that replace others begin in a later second"
    used = world.hashes
    for _ in range(3):
        assert world.after(timedelta(minutes=10)) == 5
        assert world.content(DATABASE) == changed, "a pod from before is there still"
        assert world.hashes == used
    assert world.condition("KeysRotated") == ("True", "Overlapping")
    world.pod(DATABASE)
    world.after(SECOND)
    shut = world.content(DATABASE)
    assert shut == {"username": "payments_2", "password": changed["password"]}
    assert {name for name in used if used[name] != world.hashes[name]} == {"database-logins"}
    world.settle()
    assert world.condition("KeysRotated") == ("True", "Current")
    world.ask("database-passwords@2")
    world.after(SECOND)
    assert world.content(DATABASE)["username"] == "payments", "and back"


def test_redis_knows_a_password_before_it_is_used_and_until_nobody_uses_it(world: Rotating) -> None:
    (first,) = world.content(REDIS).values()
    before = world.hashes
    world.ask("redis-password@1")
    world.after(SECOND)
    known = world.content(REDIS)
    assert known.keys() == {"password", "next-password"} and known["password"] == first
    assert world.condition("KeysRotated") == ("False", "Rotating")
    world.after(OVERLAP - SECOND)
    assert world.content(REDIS) == known and world.hashes == before, "nothing rolls yet"
    world.after(SECOND)
    assert world.content(REDIS) == {"password": known["next-password"], "previous-password": first}
    assert {name for name in before if before[name] != world.hashes[name]} == {REDIS}
    used = world.hashes
    world.after(timedelta(hours=1))
    assert world.content(REDIS)["previous-password"] == first
    world.pod(REDIS, phase="Succeeded")
    world.after(SECOND)
    assert world.content(REDIS) == {"password": known["next-password"]}
    assert world.hashes == used, "that rolls nothing"


def test_the_superusers_password_changes_at_once(world: Rotating) -> None:
    first = world.content(SUPERUSER)
    world.ask("superuser-password")
    world.after(SECOND)
    assert world.content(SUPERUSER)["password"] != first["password"]
    assert world.content(SUPERUSER).keys() == first.keys()
    world.settle()
    again = world.content(SUPERUSER)
    world.after(timedelta(days=1))
    assert world.content(SUPERUSER) == again, "a request is served once"


def test_logins_are_shut_together(tmp_path: Path, slept: list[float]) -> None:
    world = Rotating.at_rest(tmp_path, observability={"prometheus": {"enabled": True}})
    metrics = "metrics-database"
    world.pod(metrics)
    world.ask("database-passwords")
    world.after(SECOND)
    assert slept == [1.0]
    world.pod(DATABASE)
    for _ in range(3):
        world.after(SECOND)
        assert all("previous-username" in world.content(name) for name in (DATABASE, metrics))
    # One of two was shut when the operator ended.
    secret = world.cluster.objects["Secret", "shop", DATABASE]
    del secret["data"]["previous-username"]
    later = (world.now + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    secret["metadata"]["managedFields"] = [{"manager": "payment-operator", "time": later}]
    world.pod(metrics)
    world.after(SECOND)
    assert "previous-username" not in world.content(metrics)


def test_a_pod_of_the_same_second_counts_as_one_from_before(world: Rotating) -> None:
    world.ask("database-passwords")
    world.after(SECOND)
    world.pod(DATABASE)
    world.after(SECOND)
    assert "previous-username" in world.content(DATABASE)
    world.pod(DATABASE)
    world.after(SECOND)
    assert "previous-username" not in world.content(DATABASE)


def test_the_clock_of_the_api_server_counts(world: Rotating) -> None:
    world.ask("database-passwords")
    world.after(SECOND)
    secret = world.cluster.objects["Secret", "shop", DATABASE]
    secret["metadata"]["managedFields"] = [
        {"manager": "payment-operator", "operation": "Update", "time": "2026-01-01T00:01:00Z"},
        {"manager": "kubectl-annotate", "operation": "Update", "time": "2026-01-01T00:09:00Z"},
    ]
    world.now += timedelta(seconds=50)
    world.pod(DATABASE)
    world.after(SECOND)
    assert "previous-username" in world.content(DATABASE), "its clock goes before ours"
    world.now += timedelta(seconds=20)
    world.pod(DATABASE)
    world.after(SECOND)
    assert "previous-username" not in world.content(DATABASE)


def test_a_rotation_ends_though_its_request_is_taken_back(world: Rotating) -> None:
    world.ask("redis-password, database-passwords")
    world.after(SECOND)
    world.ask("")
    world.after(OVERLAP)
    for secret in (DATABASE, REDIS):
        world.pod(secret)
    world.after(SECOND)
    world.pod(REDIS)
    world.after(SECOND)
    assert world.content(DATABASE).keys() == {"username", "password"}
    assert world.content(REDIS).keys() == {"password"}
    world.settle()
    assert world.condition("KeysRotated") == ("True", "Current")


def test_passwords_rotate_by_themselves_at_the_interval(tmp_path: Path, slept: list[float]) -> None:
    world = Rotating.at_rest(tmp_path, security={"passwordRotation": {"interval": "30d", "overlap": "10m"}})
    assert "passwordRotation" not in world.values["security"]
    seen = {secret: [world.content(secret)["password"]] for secret in (DATABASE, REDIS, SUPERUSER)}
    for _ in range(400):
        world.after(timedelta(hours=6))
        for secret, passwords in seen.items():
            if secret != SUPERUSER:
                world.pod(secret)
            if world.content(secret)["password"] != passwords[-1]:
                passwords.append(world.content(secret)["password"])
    assert {secret: len(passwords) for secret, passwords in seen.items()} == dict.fromkeys(seen, 4)
    assert slept


def test_nothing_rotates_in_a_pause_or_before_the_install_is_through(
    world: Rotating, slept: list[float]
) -> None:
    before = world.content(DATABASE)
    world.ask("database-passwords")
    world.platform["spec"]["paused"] = True
    world.after(SECOND)
    world.platform["spec"]["paused"] = False
    status, gone = world.platform["status"], ("release", "lastGood")
    world.platform["status"] = {key: value for key, value in status.items() if key not in gone}
    world.after(SECOND)
    assert world.content(DATABASE) == before and slept == []
    for _ in range(3):
        world.after(SECOND)
    assert world.content(DATABASE) != before, "installed"


def test_what_is_not_ours_is_left_alone(world: Rotating) -> None:
    world.cluster.put_secret("shop", DATABASE, username="payments", password="mine")
    world.ask("database-passwords")
    world.after(SECOND)
    assert world.content(DATABASE) == {"username": "payments", "password": "mine"}
    assert world.condition("KeysRotated") == ("False", "NotManaged")
    external = {"host": "db.example", "superuserSecretRef": {"name": "admin"}}
    world.cluster.put_secret("shop", "admin", username="postgres", password="x")
    world.platform["spec"]["postgres"] = {"mode": "External", "external": external}
    world.ask("superuser-password")
    world.after(SECOND)
    assert "the server runs elsewhere" in world.message()


def test_no_secret_is_read_for_it_while_nothing_is_asked_for(world: Rotating) -> None:
    read: list[str] = []
    real = world.cluster.get

    def get(kind: Any, namespace: str, name: str) -> Object | None:
        read.append(name)
        return real(kind, namespace, name)

    world.cluster.get = get  # type: ignore[method-assign]
    world.after(SECOND)
    quiet = read.count(DATABASE)
    world.ask("database-passwords")
    read.clear()
    world.after(SECOND)
    assert read.count(DATABASE) == quiet + 1


@pytest.mark.parametrize("interval", [None, "30d"])
def test_a_version_that_knows_no_overlap_keeps_its_passwords(
    tmp_path: Path, slept: list[float], interval: str | None
) -> None:
    security = {"passwordRotation": {"interval": interval}} if interval else {}
    world = Rotating.at_rest(tmp_path, security=security)
    chart = world.reconciler._director._desire.versions.renderer("0.1.0")
    known, chart.rotates = chart.rotates, ()
    before = {secret: world.content(secret) for secret in (DATABASE, REDIS, SUPERUSER)}
    asked = ("database-passwords@1", "redis-password@1", "superuser-password@1")
    world.ask("" if interval else ",".join(asked))
    world.after(timedelta(days=31))
    assert {secret: world.content(secret) for secret in before} == before and slept == []
    assert world.condition("KeysRotated") == ("False", "NotSupported")
    assert all(f"{item.partition('@')[0]}: the version" in world.message() for item in asked)
    events = [item for (kind, _, _), item in world.cluster.objects.items() if kind == "Event"]
    told = [item for item in events if item["reason"] == "KeysRotatedNotSupported"]
    assert [item["type"] for item in told] == ["Warning"]
    assert world.condition("Ready") == ("True", "Ready")
    # After an upgrade the request, or what is due, is served.
    chart.rotates = known
    world.after(SECOND)
    assert world.content(DATABASE)["username"] == "payments_2"


def test_the_chart_of_this_tree_knows_them_all() -> None:
    chart = Path(__file__).parents[3] / "charts" / "payment-platform"
    assert set(Renderer(chart, helm="helm", timeout=1.0).rotates) == set(WAYS)


def test_keys_rotate_under_such_a_version_and_nothing_is_told_unasked(tmp_path: Path) -> None:
    world = Rotating.at_rest(tmp_path)
    world.reconciler._director._desire.versions.renderer("0.1.0").rotates = ()
    world.after(SECOND)
    assert world.condition("KeysRotated") == ("True", "Current")
    world.ask("signing-keys@1")
    world.after(SECOND)
    assert world.condition("KeysRotated")[1] == "Rotating"


def test_somebody_elses_write_in_between_is_kept(world: Rotating, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = world.content(DATABASE), world.cluster.call

    def conflict(operation: str, *arguments: Any, **named: Any) -> Object:
        if operation == "patch":
            raise ApiError(409, "the object has been modified")
        return real(operation, *arguments, **named)

    monkeypatch.setattr(world.cluster, "call", conflict)
    world.ask("database-passwords")
    world.after(SECOND)
    assert world.content(DATABASE) == before
    monkeypatch.undo()
    monkeypatch.setattr(time, "sleep", lambda _: None)
    world.after(SECOND)
    assert world.content(DATABASE) != before


def test_no_password_is_told(world: Rotating, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world.ask("redis-password, database-passwords, superuser-password")
    seen: set[str] = set()
    for wait in (timedelta(0), OVERLAP, SECOND):
        world.after(wait)
        for secret in (DATABASE, REDIS, SUPERUSER):
            seen |= {value for key, value in world.content(secret).items() if "username" not in key}
    told = caplog.text + json.dumps(world.platform) + json.dumps(world.hashes)
    told += "".join(json.dumps(item["metadata"]) for item in world.cluster.objects.values())
    assert len(seen) == 4 and not [password for password in seen if password in told]
    assert "is in use now" in caplog.text


def test_steps_are_pure_and_one_at_a_time() -> None:
    start = Login({"username": "a", "password": "1"}, START)

    def step(login: Login, way: Way, used: bool = True, request: str = "x@1") -> tuple[Login, str | None]:
        return advance(
            *(login, way),
            now=START,
            interval=None,
            overlap=timedelta(0),
            request=request,
            in_use=lambda: used,
            make=lambda: "2",
        )

    assert step(start, Way.TWO_LOGINS, request="") == (start, None)
    turned, _ = step(start, Way.TWO_LOGINS)
    assert dict(turned.data) == {"username": "a_2", "password": "2", "previous-username": "a"}
    assert step(turned, Way.TWO_LOGINS) == (turned, None)
    shut, _ = step(turned, Way.TWO_LOGINS, used=False)
    assert dict(shut.data) == {"username": "a_2", "password": "2"}
    assert step(shut, Way.TWO_LOGINS, used=False) == (shut, None), "served"
    assert other(other("accounts")) == "accounts"
