"""The floor of an autoscaler: up at once with what waits, down one by one, never out of its bounds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from payment_operator.kinds import HASH_ANNOTATION, Ref
from payment_operator.load import Load
from payment_operator.manifest import Manifest
from payment_operator.scaling import FLOOR_ANNOTATION, lifted, targets
from payment_operator.values import parse
from tests.unit.operator.builders import applied, wanted

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALM = timedelta(seconds=60)
NAME = "notification-service"
SCALER = wanted("HorizontalPodAutoscaler", NAME, 3, spec={"minReplicas": 2, "maxReplicas": 9})
OTHER = wanted("HorizontalPodAutoscaler", "risk-service", 3, spec={"minReplicas": 1, "maxReplicas": 3})


def at(floor: int, since: datetime = NOW) -> dict[Ref, dict[str, Any]]:
    """What is there when the floor was lifted before."""
    live = applied(SCALER, spec={"minReplicas": floor, "maxReplicas": 9})
    live["metadata"]["annotations"] = {FLOOR_ANNOTATION: since.isoformat()}
    return {SCALER.ref: live}


def one(live: dict[Ref, dict[str, Any]], behind: float | None, now: datetime = NOW) -> Manifest:
    load = None if behind is None else Load({NAME: behind, "risk-service": 1e6}, {})
    first, second = lifted([SCALER, OTHER], live, {NAME: 100}, load, now, CALM)
    assert second is OTHER
    return first


def floor(item: Manifest) -> int:
    return int(item.body["spec"]["minReplicas"])


@pytest.mark.parametrize(
    ("behind", "expected"), [(0, 2), (200, 2), (201, 3), (450, 5), (900, 9), (1e6, 9), (None, 2)]
)
def test_what_waits_lifts_it_at_once_within_bounds(behind: float | None, expected: int) -> None:
    assert floor(one({}, behind)) == expected
    assert floor(one({SCALER.ref: applied(SCALER)}, behind)) == expected


def test_as_declared_it_is_not_touched() -> None:
    assert one({}, 0) is SCALER


def test_it_comes_down_one_by_one_after_some_time() -> None:
    assert floor(one(at(5), 0, NOW + CALM - timedelta(seconds=1))) == 5
    lower = one(at(5), 0, NOW + CALM)
    assert floor(lower) == 4
    assert lower.body["metadata"]["annotations"][FLOOR_ANNOTATION] == (NOW + CALM).isoformat()
    assert one(at(3), 0, NOW + CALM) is SCALER
    assert floor(one(at(5), 350, NOW + CALM)) == 4
    assert floor(one(at(4), 350, NOW + CALM)) == 4


def test_while_it_stays_nothing_is_written_anew() -> None:
    assert one(at(5), 450, NOW + CALM) == one(at(5), 450, NOW + 2 * CALM)


def test_without_an_answer_it_stays() -> None:
    assert floor(one(at(5), None, NOW + 9 * CALM)) == 5


@pytest.mark.parametrize("since", ["", "soon", "2026-01-01T00:00:00"])
def test_a_date_that_is_none_counts_as_now(since: str) -> None:
    live = at(5)
    live[SCALER.ref]["metadata"]["annotations"][FLOOR_ANNOTATION] = since
    assert floor(one(live, 450)) == 5
    assert floor(one(live, 0)) == (5 if since else 2)


def test_narrower_bounds_count_at_once() -> None:
    live = at(9)
    narrow = wanted("HorizontalPodAutoscaler", NAME, 3, spec={"minReplicas": 2, "maxReplicas": 4})
    (item,) = lifted([narrow], live, {NAME: 100}, Load({NAME: 900.0}, {}), NOW, CALM)
    assert floor(item) == 4


def test_another_floor_is_another_manifest() -> None:
    hashes = {one({}, behind).hash for behind in (0, 300, 400)}
    assert len(hashes) == 3
    item = one({}, 300)
    assert item.body["metadata"]["annotations"][HASH_ANNOTATION] == item.hash


def test_services_that_scale_by_what_waits_are_those_that_say_so() -> None:
    scaling = {"enabled": True, "waitingPerReplica": 50}
    spec = parse({"profile": "dev", "services": {NAME: {"autoscaling": scaling}, "kyc-service": {}}})
    assert targets(spec) == {NAME: 50}
    assert targets(parse({"profile": "dev"})) == targets(None) == {}
