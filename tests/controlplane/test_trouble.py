"""The API server is slow, fails, or stops to tell; nothing ends and everything is made up for."""

import random
import time
from collections.abc import Iterator

import pytest

from hack.controlplane.api import Api, crowding, wait
from hack.controlplane.operators import Operator
from hack.controlplane.proxy import Proxy
from hack.controlplane.scale import repair
from hack.controlplane.servers import ControlPlane
from tests.controlplane.changes import children, some
from tests.controlplane.conftest import Note

NAMESPACES = ("trouble-one", "trouble-two")
RESYNC = 4.0


@pytest.fixture(scope="module")
def proxy(plane: ControlPlane, seed: int) -> Iterator[Proxy]:
    """Between the operator of this module and the API server."""
    with Proxy(plane, seed) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def operator(plane: ControlPlane, api: Api, proxy: Proxy) -> Iterator[Operator]:
    """Two platforms that are Ready."""
    for name in NAMESPACES:
        api.namespace(name)
        api.declare(name)
    with Operator(plane, number=1, namespaces=NAMESPACES, resync=RESYNC, url=proxy.url) as operator:
        for name in NAMESPACES:
            wait(lambda name=name: api.is_ready(name), 180, f"{name} Ready")  # type: ignore[misc]
        yield operator


def test_16_a_deleted_child_comes_back_with_every_watch_dead(
    api: Api, operator: Operator, proxy: Proxy, seed: int, note: Note
) -> None:
    assert operator.runs
    proxy.set(swallowing=True)
    try:
        time.sleep(1)
        chosen = random.Random(seed).choice(["kyc-service", "otp-service", "risk-service"])
        before = proxy.state.swallowed
        took = repair(api, NAMESPACES[0], chosen)
    finally:
        proxy.set(swallowing=False)
    assert proxy.state.swallowed > before
    assert took <= (RESYNC + 10) * crowding()
    note(f"watches silent, full pass every {RESYNC:.0f} s: a deleted child is back after {took:.1f} s")


def test_16_a_slow_api_server_delays_repair_little(
    api: Api, operator: Operator, proxy: Proxy, note: Note
) -> None:
    assert operator.runs
    proxy.set(delay=0.1)
    try:
        took = repair(api, NAMESPACES[1])
    finally:
        proxy.set(delay=0.0)
    assert took <= 5 * crowding()
    note(f"100 ms (0 to 200) on each request: a deleted child is back after {took:.1f} s")


def test_21_errors_of_the_api_server_end_nothing(
    api: Api, operator: Operator, proxy: Proxy, soak: bool, seed: int, note: Note
) -> None:
    seconds = 600.0 if soak else 8.0
    lost = {name: {*some(children(api, name), 5, random.Random(seed))} for name in NAMESPACES}
    for share in (0.5, 1.0):
        proxy.set(failing=share)
        for name in NAMESPACES:
            for kind, child in lost[name]:
                if api.get(kind, name, child) is not None:
                    api.delete(kind, name, child)
            api.patch("PaymentPlatform", name, "payments", {"spec": {"demo": {"enabled": share == 1}}})
        time.sleep(seconds / 2)
    proxy.set(failing=0.0)
    began = time.monotonic()
    assert operator.runs
    for name in NAMESPACES:
        wait(lambda name=name: lost[name] <= children(api, name).keys(), 180, f"{lost[name]}")  # type: ignore[misc]
        wait(lambda name=name: api.is_ready(name), 180, f"{name} Ready")  # type: ignore[misc]
    took = time.monotonic() - began
    # Events reach it again too, without waiting for a full pass.
    wait(lambda: repair(api, NAMESPACES[0]) < RESYNC / 2 * crowding(), 60, "repair by events")
    again = time.monotonic() - began
    assert operator.runs
    assert proxy.state.failed > 20
    note(
        f"{seconds:.0f} s of errors (half of all requests, then all; {proxy.state.failed} refused): "
        f"same process, as declared {took:.1f} s after, events seen again by {again:.1f} s after"
    )
