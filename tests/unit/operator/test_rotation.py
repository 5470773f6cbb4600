"""Rotation of keys with a fake clock: every step, in order, after any restart, and nothing else."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import kopf
import pytest

from payment_operator import handlers, keys, rotate
from payment_operator.catalog import schemas, secret_kinds
from payment_operator.cluster import Cluster
from payment_operator.desire import Desire
from payment_operator.director import Director
from payment_operator.errors import ApiError
from payment_operator.reconcile import Reconciler
from payment_operator.render import ClusterVersion, Renderer
from payment_operator.requests import ROTATE_ANNOTATION
from payment_operator.rotation import read_duration, read_notes, read_requests, write_notes
from payment_operator.versions import Versions
from payment_operator.workqueue import WorkQueue
from tests.unit.operator.builders import Object
from tests.unit.operator.world import World, chart_documents

START = datetime(2026, 1, 1, tzinfo=UTC)
SECRETS = {"signing-keys": "gateway-signing-keys", "encryption-keys": "gateway-encryption-keys"}
OVERLAP, KEEP = timedelta(minutes=3), timedelta(hours=2)


class Clocked(World):
    """A world whose operator reads a clock that only the test moves, and may be restarted."""

    now = START

    @classmethod
    def at_rest(cls, folder: Path, **spec: Any) -> "Clocked":
        """Installed."""
        world = cast(Clocked, cls.fake(folder))
        world.folder = folder
        world.renderer = Renderer(
            folder, helm="helm", timeout=1.0, run=lambda _, stdin, __: world.rendered(stdin)
        )
        world.restart()
        world.platform = world.declare(**spec)
        world.settle()
        return world

    folder: Path
    renderer: Renderer
    platform: Object

    def rendered(self, stdin: str) -> str:
        """The chart's answer; the values stay to be looked at."""
        self.values = json.loads(stdin)
        return "\n---\n".join(json.dumps(item) for item in chart_documents())

    def restart(self) -> None:
        """Another operator, which remembers nothing."""
        cluster = cast(Cluster, self.cluster)
        versions = Versions([self.renderer], self.renderer.version)
        desire = Desire(cluster, versions, secret_kinds(("payments",)), lambda: ClusterVersion("v1.34.0", ()))
        self.reconciler = Reconciler(cluster, Director(cluster, desire), lambda: self.now)

    def ask(self, value: str) -> None:
        """Annotate the platform."""
        self.platform["metadata"]["annotations"] = {ROTATE_ANNOTATION: value}

    def after(self, wait: timedelta) -> float | None:
        """One reconcile by a new operator, later."""
        self.now += wait
        self.restart()
        return self.run()

    def kids(self, name: str = "signing-keys") -> list[str]:
        """Ids in the Secret, the one in use first."""
        data = self.cluster.objects["Secret", "shop", SECRETS[name]]["data"]["private.jwks.json"]
        return [key["kid"] for key in json.loads(base64.b64decode(data))["keys"]]

    def published(self) -> list[str]:
        """Ids in the ConfigMap."""
        text = self.cluster.objects["ConfigMap", "shop", "gateway-public-keys"]["data"]["jwks.json"]
        return [key["kid"] for key in json.loads(text)["keys"]]

    def message(self) -> str:
        """Of the condition."""
        conditions = self.cluster.objects["PaymentPlatform", "shop", "payments"]["status"]["conditions"]
        return str(next(item["message"] for item in conditions if item["type"] == "KeysRotated"))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clocked:
    monkeypatch.setattr(keys, "RSA_BITS", 1024)
    return Clocked.at_rest(tmp_path)


@pytest.mark.parametrize("name", SECRETS)
def test_a_whole_rotation_with_a_restart_before_each_step(world: Clocked, name: str) -> None:
    (old,) = world.kids(name)
    assert world.condition("KeysRotated") == ("True", "Current")
    world.ask(f"{name}@1")
    world.after(timedelta(seconds=1))
    assert world.kids(name)[0] == old and len(world.kids(name)) == 2
    new = world.kids(name)[1]
    assert new in world.published(), "published in the same pass, before anything is signed with it"
    assert world.condition("KeysRotated") == ("False", "Rotating")
    assert world.after(timedelta(seconds=2)) is None, "a full pass comes sooner"
    for _ in range(5):
        again = world.after(timedelta(seconds=30))
        assert world.kids(name) == [old, new], "not before the overlap has passed"
    assert again == 30
    world.after(timedelta(seconds=30))
    assert world.kids(name) == [new, old]
    assert world.condition("KeysRotated") == ("True", "Overlapping")
    for _ in range(11):
        world.after(timedelta(minutes=10))
        assert world.kids(name) == [new, old], "not before old tokens have expired"
        assert {old, new} <= set(world.published())
    world.after(timedelta(minutes=10))
    assert world.kids(name) == [new]
    world.settle()
    assert old not in world.published()
    assert world.condition("KeysRotated") == ("True", "Current")
    other = next(item for item in SECRETS if item != name)
    assert len(world.kids(other)) == 1


def test_no_pod_is_replaced_by_a_rotation(world: Clocked) -> None:
    before = world.values["operator"]["secretHashes"]
    assert before and not set(SECRETS.values()) & before.keys()
    world.ask("signing-keys,encryption-keys")
    for wait in (timedelta(0), timedelta(seconds=2), OVERLAP, KEEP):
        world.after(wait)
        assert world.values["operator"]["secretHashes"] == before
        assert not [line for line in world.cluster.log if "Deployment" in line or "StatefulSet" in line]
    world.platform["spec"]["security"] = {"keyRotation": {"interval": "30d"}}
    world.after(timedelta(seconds=1))
    assert world.values["operator"]["secretHashes"] == before
    assert "keyRotation" not in world.values["security"]


def test_a_request_is_served_once_and_another_one_again(world: Clocked) -> None:
    world.ask("signing-keys@1")
    for wait in (timedelta(0), timedelta(seconds=2), OVERLAP, KEEP, timedelta(days=400)):
        world.after(wait)
    (first,) = world.kids()
    world.ask("")
    world.after(timedelta(seconds=1))
    world.ask("signing-keys@1")
    world.after(timedelta(seconds=1))
    assert world.kids() == [first]
    world.ask("signing-keys@2")
    world.after(timedelta(seconds=1))
    assert world.kids()[0] == first and len(world.kids()) == 2


def test_a_request_during_a_rotation_waits_for_its_end(world: Clocked) -> None:
    world.ask("signing-keys@1")
    world.after(timedelta(seconds=1))
    old, new = world.kids()
    world.ask("signing-keys@2")
    for _ in range(3):
        world.after(timedelta(seconds=2))
        assert world.kids() == [old, new]
    world.after(OVERLAP)
    assert world.kids() == [new, old]
    world.after(timedelta(seconds=1))
    assert world.kids()[:2] == [new, old] and len(world.kids()) == 3
    newest = world.kids()[2]
    world.after(timedelta(seconds=2))
    world.after(OVERLAP)
    assert world.kids() == [newest, new, old]
    world.after(KEEP - OVERLAP)
    assert world.kids() == [newest, new], "each old key by its own time"


def test_keys_rotate_by_themselves_at_the_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "RSA_BITS", 1024)
    times = {"interval": "30d", "overlap": "10m", "keep": "1d"}
    world = Clocked.at_rest(tmp_path, security={"keyRotation": times})
    seen = [*world.kids()]
    for _ in range(2 * 100):
        world.after(timedelta(hours=12))
        if world.kids()[0] != seen[-1]:
            seen.append(world.kids()[0])
    assert len(seen) == 4, "three rotations in a hundred days"
    assert world.kids()[0] == seen[-1]


def test_a_key_that_nobody_can_read_yet_is_not_used(world: Clocked) -> None:
    (old,) = world.kids()
    world.cluster.refused["gateway-public-keys"] = ApiError(403, "denied")
    world.ask("signing-keys")
    for _ in range(5):
        world.after(timedelta(hours=1))
    assert world.kids()[0] == old, "the ConfigMap never got the new key"
    world.cluster.refused.clear()
    world.after(timedelta(seconds=1))
    world.after(timedelta(seconds=2))
    world.after(OVERLAP - timedelta(seconds=1))
    assert world.kids()[0] == old
    world.after(timedelta(seconds=1))
    assert world.kids()[1] == old


def test_paused_platforms_do_not_rotate(world: Clocked) -> None:
    world.ask("signing-keys")
    world.platform["spec"]["paused"] = True
    world.after(timedelta(days=1))
    assert len(world.kids()) == 1
    world.platform["spec"]["paused"] = False
    world.after(timedelta(seconds=1))
    assert len(world.kids()) == 2


def test_somebody_elses_write_in_between_is_kept(world: Clocked, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = world.cluster.objects["Secret", "shop", "gateway-signing-keys"]
    make = keys.signing_jwk

    def meanwhile() -> keys.Jwk:
        secret["metadata"]["resourceVersion"] += "9"
        return make()

    monkeypatch.setitem(rotate._SETS, "signing-keys", ("gateway-signing-keys", meanwhile))
    world.ask("signing-keys")
    # The fake gives the object itself, not a copy, so the version is changed after it was read.
    real = world.cluster.get
    monkeypatch.setattr(world.cluster, "get", lambda *args: json.loads(json.dumps(real(*args))))
    world.after(timedelta(seconds=1))
    assert len(world.kids()) == 1
    monkeypatch.setitem(rotate._SETS, "signing-keys", ("gateway-signing-keys", make))
    world.after(timedelta(seconds=1))
    assert len(world.kids()) == 2


def test_a_users_own_key_set_is_left_alone(world: Clocked) -> None:
    own = keys.key_set(keys.signing_jwk())
    world.cluster.put_secret("shop", "gateway-signing-keys", **{"private.jwks.json": own})
    world.after(timedelta(seconds=1))
    assert world.condition("KeysRotated") == ("True", "Current")
    world.ask("signing-keys")
    world.after(timedelta(seconds=1))
    assert len(world.kids()) == 1
    assert world.condition("KeysRotated") == ("False", "NotManaged")


def test_a_misspelt_request_is_told(world: Clocked) -> None:
    world.ask("signing-key, encryption-keys")
    world.after(timedelta(seconds=1))
    assert world.condition("KeysRotated") == ("False", "UnknownRequest")
    assert "'signing-key' is unknown" in world.message()
    assert (len(world.kids()), len(world.kids("encryption-keys"))) == (1, 2)


def test_nothing_private_is_told(world: Clocked, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world.ask("signing-keys,encryption-keys")
    for wait in (timedelta(0), timedelta(seconds=2), OVERLAP, KEEP):
        world.after(wait)
        for name in SECRETS.values():
            secret = world.cluster.objects["Secret", "shop", name]
            text = base64.b64decode(secret["data"]["private.jwks.json"]).decode()
            parts = [key[part] for key in json.loads(text)["keys"] for part in key.keys() & {"d", "p", "q"}]
            told = caplog.text + json.dumps(world.platform) + json.dumps(secret["metadata"])
            told += json.dumps(world.cluster.objects["ConfigMap", "shop", "gateway-public-keys"])
            assert not [part for part in parts if part in told]
    assert "added, not in use yet" in caplog.text and "is in use now" in caplog.text


async def test_an_annotation_wakes_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, Any] = {}

    def on_event(*_: str, id: str, **__: Any) -> Any:
        return lambda function: found.setdefault(id, function)

    async def run(_: str) -> float | None:
        return None

    monkeypatch.setattr(kopf.on, "event", on_event)
    queue = WorkQueue(run, workers=1, clock=lambda: 0.0)
    added: list[str] = []
    monkeypatch.setattr(queue, "add", lambda key, after=0.0: added.append(key))
    handlers.register(kopf.OperatorRegistry(), kopf.OperatorSettings(), queue)
    metadata: Object = {"uid": "1", "generation": 1}
    for annotations, times in (({}, 1), ({"other": "x"}, 1), ({ROTATE_ANNOTATION: "signing-keys"}, 2)):
        body = {"metadata": metadata | {"annotations": annotations}}
        await found["platform"](body=body, type="MODIFIED", namespace="shop")
        assert len(added) == times


def test_words_of_requests_durations_and_notes() -> None:
    assert read_requests(" signing-keys@2026-01 ,encryption-keys,, x") == (
        {"signing-keys": "signing-keys@2026-01", "encryption-keys": "encryption-keys"},
        ["x"],
    )
    assert [read_duration(text) for text in ("90s", "15m", "2h", "30d")] == [
        timedelta(seconds=90),
        timedelta(minutes=15),
        timedelta(hours=2),
        timedelta(days=30),
    ]
    notes = {"kid": {"added": START}}
    assert read_notes(write_notes(notes)) == notes
    for broken in ("", "[]", "{", '{"a": 1}', '{"a": {"added": "x"}}'):
        assert read_notes(broken) == {}
    assert schemas(Path(__file__).parents[3] / "charts" / "payment-platform")
