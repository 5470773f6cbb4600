"""The Lease: one holder at a time, whatever the clocks say and whoever comes in between."""

import threading
from typing import Any, cast

import pytest

from payment_operator import lease as module
from payment_operator.cluster import Cluster
from payment_operator.errors import ApiError
from payment_operator.kinds import Kind
from payment_operator.lease import DEADLINE, DURATION, Lease


class Api:
    """The one Lease, with resourceVersions as the API server keeps them."""

    class dynamic:
        create, replace = "create", "replace"

    def __init__(self) -> None:
        self.stored: dict[str, Any] | None = None
        self.writes: list[str] = []
        self.down = False

    def get(self, kind: Kind, namespace: str, name: str) -> dict[str, Any] | None:
        assert (kind.plural, namespace, name) == ("leases", "ops", "payment-operator")
        if self.down:
            raise ApiError(0, "no answer")
        return self.stored and {"metadata": dict(self.stored["metadata"]), "spec": dict(self.stored["spec"])}

    def call(self, operation: str, kind: Kind, *, namespace: str, body: dict[str, Any]) -> dict[str, Any]:
        if self.down:
            raise ApiError(0, "no answer")
        current = self.stored["metadata"]["resourceVersion"] if self.stored else None
        given = body["metadata"].get("resourceVersion")
        if (operation == "create") != (current is None) or given != current:
            raise ApiError(409, "conflict")
        self.writes.append(body["spec"]["holderIdentity"])
        version = str(len(self.writes))
        self.stored = {"metadata": {**body["metadata"], "resourceVersion": version}, "spec": body["spec"]}
        return self.stored


class Clock:
    """Seconds that pass when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def candidate(api: Api, name: str, clock: Clock) -> Lease:
    return Lease(cast(Cluster, api), "ops", name, clock=clock)


def test_the_first_takes_it_and_the_second_waits_for_its_whole_duration() -> None:
    api, clock = Api(), Clock()
    one, two = candidate(api, "one", clock), candidate(api, "two", clock)
    assert one.hold()
    assert not two.hold()
    clock.now = DURATION - 0.1
    assert not two.hold()
    clock.now = DURATION + 0.1
    assert two.hold()
    assert not one.hold()
    assert api.stored is not None
    assert api.stored["spec"]["leaseTransitions"] == 2


def test_a_renewal_starts_the_others_wait_anew() -> None:
    api, clock = Api(), Clock()
    one, two = candidate(api, "one", clock), candidate(api, "two", clock)
    one.hold()
    two.hold()
    for step in range(1, 20):
        clock.now = step * (DURATION - 1)
        assert one.hold()
        assert not two.hold()
    assert set(api.writes) == {"one"}


def test_of_two_that_find_it_free_one_gets_it() -> None:
    api, clock = Api(), Clock()
    one, two = candidate(api, "one", clock), candidate(api, "two", clock)
    stale = api.get
    api.get = lambda *_: None  # type: ignore[method-assign]
    assert one.hold()
    assert not two.hold()
    api.get = stale  # type: ignore[method-assign]
    assert api.writes == ["one"]


def test_released_it_is_free_at_once() -> None:
    api, clock = Api(), Clock()
    one, two = candidate(api, "one", clock), candidate(api, "two", clock)
    one.hold()
    assert not two.hold()
    one.release()
    assert two.hold()
    one.release()  # what is another's is not touched
    assert api.stored is not None
    assert api.stored["spec"]["holderIdentity"] == "two"


@pytest.mark.parametrize("why", ["another has it", "no answer until the deadline"])
def test_a_holder_that_cannot_renew_ends_before_another_may_begin(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY", 0.001)
    assert DEADLINE < DURATION
    api, clock = Api(), Clock()
    one = candidate(api, "one", clock)
    one.hold()
    if why == "another has it":
        assert api.stored is not None
        api.stored = {"metadata": {"resourceVersion": "x"}, "spec": {"holderIdentity": "two"}}
    else:
        api.down = True
    lost = threading.Event()
    one.keep(lost.set)
    if why != "another has it":
        assert not lost.wait(0.05)
        clock.now = DEADLINE + 0.1
    assert lost.wait(5)


def test_a_holder_that_was_stopped_for_long_knows_that_another_may_lead() -> None:
    api, clock = Api(), Clock()
    one, two = candidate(api, "one", clock), candidate(api, "two", clock)
    assert one.hold()
    two.hold()
    clock.now = DEADLINE - 0.1
    assert one.fresh
    clock.now = DEADLINE
    assert not one.fresh
    clock.now = DURATION
    assert two.hold()
    assert two.fresh
