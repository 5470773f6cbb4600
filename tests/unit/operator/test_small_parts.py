"""Volumes, reachability, settings, the full pass, health, names in streams of Secrets."""

import asyncio
import json
import socket
from collections.abc import Sequence

import pytest
from kubernetes.client import Configuration

from payment_operator.errors import ApiError
from payment_operator.reach import external_addresses, unreachable
from payment_operator.resync import Resync
from payment_operator.secretwatch import SecretWatch
from payment_operator.settings import Settings
from payment_operator.values import parse
from payment_operator.volumes import claims_to_grow
from payment_operator.workqueue import WorkQueue

Object = dict[str, object]


def volumes(size: str, name: str = "data") -> dict[str, object]:
    template = {"metadata": {"name": name}, "spec": {"resources": {"requests": {"storage": size}}}}
    return {"metadata": {"name": "kafka"}, "spec": {"replicas": 3, "volumeClaimTemplates": [template]}}


def test_growing_names_the_claim_of_every_pod() -> None:
    claims = claims_to_grow(volumes("900Mi"), volumes("1Gi"))
    assert [claim["metadata"]["name"] for claim in claims] == ["data-kafka-0", "data-kafka-1", "data-kafka-2"]
    assert claims[0]["spec"] == {"resources": {"requests": {"storage": "1Gi"}}}


@pytest.mark.parametrize("wanted", [volumes("1Gi"), volumes("512Mi"), volumes("2Gi", "other")])
def test_nothing_grows_by_shrinking_or_renaming(wanted: dict[str, object]) -> None:
    assert claims_to_grow(volumes("1024Mi"), wanted) == []


def test_a_listening_port_is_reachable_and_a_closed_one_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert unreachable([("127.0.0.1", 1), ("127.0.0.1", port)], 1.0) is None
    assert f"127.0.0.1:{port} does not answer" in str(unreachable([("127.0.0.1", port)], 1.0))


def test_addresses_of_external_dependencies() -> None:
    spec = parse(
        {
            "profile": "dev",
            "postgres": {"mode": "External", "external": {"host": "db", "superuserSecretRef": {"name": "s"}}},
            "kafka": {"mode": "External", "external": {"bootstrapServers": "a:9092,b:9093"}},
        }
    )
    assert external_addresses(spec) == {"postgres": [("db", 5432)], "kafka": [("a", 9092), ("b", 9093)]}
    assert external_addresses(parse({"profile": "dev"})) == {}


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENT_OPERATOR_WATCH_NAMESPACES", "a, b,")
    monkeypatch.setenv("PAYMENT_OPERATOR_SECRET_NAMES", "")
    settings = Settings()
    assert settings.watch_namespaces == ("a", "b")
    assert settings.secret_names == ()


async def test_the_full_pass_goes_on_after_an_error_and_stalls_only_when_it_hangs() -> None:
    now, asked = 0.0, 0
    seen: list[str] = []

    async def run(key: str) -> float | None:
        seen.append(key)
        return None

    async def find() -> Sequence[str]:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise ApiError(503, "busy")
        return ["shop"]

    queue = WorkQueue(run, workers=1, clock=lambda: now)
    resync = Resync(queue, find, interval=0.01, clock=lambda: now)
    queue.start()
    task = asyncio.create_task(resync.run())
    while asked < 3:
        await asyncio.sleep(0.005)
    now = 1.0
    queue.add("shop")
    while "shop" not in seen:
        await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await queue.stop()
    now = 2.0
    assert "no full pass" in str(resync.stalled())


def event(kind: str, version: str) -> dict[str, object]:
    metadata = {"namespace": "shop", "name": "otp-hmac-key", "resourceVersion": version}
    return {"type": kind, "object": {"metadata": metadata}}


def test_a_stream_tells_changes_once_also_when_it_starts_again() -> None:
    told: list[tuple[str, str, str]] = []

    def tell(namespace: str, name: str, version: str) -> None:
        told.append((namespace, name, version))

    watch = SecretWatch(Configuration(), ["otp-hmac-key"], [], tell)
    for item in (event("ADDED", "1"), event("ADDED", "1"), event("MODIFIED", "2"), event("DELETED", "3")):
        watch.note(json.loads(json.dumps(item)))
    assert told == [("shop", "otp-hmac-key", version) for version in ("1", "2", "")]
    watch.note({"type": "ERROR", "object": {"code": 410}})
    assert len(told) == 3
