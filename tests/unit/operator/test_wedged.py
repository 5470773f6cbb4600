"""Services that hang: restarted only when nothing else explains it, and not without end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from payment_operator.values import parse
from payment_operator.wedged import RESTARTS_ANNOTATION, judge, limit_of, restarted, restarts_of, sound, told
from tests.unit.operator.builders import deployment

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SETTLE = timedelta(minutes=5)
NAME, WHY = "audit-service", "messages wait"


def live(*minutes: int, **fields: Any) -> dict[str, Any]:
    """The Deployment, restarted so many minutes ago."""
    found = deployment(NAME, **fields)[1]
    times = ",".join((NOW - timedelta(minutes=item)).isoformat() for item in minutes)
    found["metadata"]["annotations"] = {RESTARTS_ANNOTATION: times}
    return found


def verdict(item: dict[str, Any] | None, limit: int = 3) -> tuple[bool, bool] | None:
    """Whether a restart is due and whether there were enough; None: it is left alone."""
    found = judge({NAME: WHY}, {NAME: item, "kyc-service": live()}, limit, NOW, SETTLE)
    return (found[0].due, found[0].exhausted) if found else None


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ((), (True, False)),
        ((4,), (False, False)),
        ((6,), (True, False)),
        ((30, 20), (True, False)),
        ((30, 20, 10), (False, True)),
        ((30, 20, 4), (False, False)),
        ((61, 20, 10), (True, False)),
    ],
)
def test_three_restarts_in_an_hour_with_time_to_help(
    minutes: tuple[int, ...], expected: tuple[bool, bool]
) -> None:
    assert verdict(live(*minutes)) == expected


@pytest.mark.parametrize("item", [None, live(ready=0), live(updatedReplicas=0), live(ready=0, wanted_pods=0)])
def test_one_that_is_not_ready_or_rolls_out_is_left_alone(item: dict[str, Any] | None) -> None:
    assert verdict(item) is None


def test_without_a_limit_nothing_is_restarted() -> None:
    assert verdict(live(), limit=0) is None


def test_a_restart_is_remembered_by_the_deployment() -> None:
    before = live(30)
    (found,) = judge({NAME: WHY}, {NAME: before}, 3, NOW, SETTLE)
    fields = restarted(before, found)
    assert fields["metadata"]["uid"] == before["metadata"]["uid"]
    after = before | {"metadata": before["metadata"] | {"annotations": fields["metadata"]["annotations"]}}
    assert restarts_of(after, NOW) == (NOW - timedelta(minutes=30), NOW)
    assert "2 of 3 restarts" in told(found)
    assert NAME in told(found) and WHY in told(found)


def test_what_is_no_date_is_no_restart() -> None:
    item = live()
    item["metadata"]["annotations"][RESTARTS_ANNOTATION] = (
        "soon,,2026-01-01T11:59:00,2027-01-01T00:00:00+00:00"
    )
    assert restarts_of(item, NOW) == ()


def conditions(minutes: int = 10, **statuses: str) -> dict[str, Any]:
    names = ("PostgresReady", "RedisReady", "KafkaReady")
    since = (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "conditions": [
            {"type": name, "status": statuses.get(name, "True"), "lastTransitionTime": since}
            for name in names
        ]
    }


def test_nobody_is_to_blame_while_a_dependency_is_away_or_was_lately() -> None:
    assert sound(conditions(), NOW, SETTLE)
    assert not sound(conditions(minutes=4), NOW, SETTLE)
    assert not sound(conditions(KafkaReady="False"), NOW, SETTLE)
    assert not sound({}, NOW, SETTLE)


def test_the_limit_is_three_unless_declared() -> None:
    def limit(**restarts: Any) -> int:
        return limit_of(parse({"profile": "dev", "health": {"restarts": restarts}}))

    assert limit_of(parse({"profile": "dev"})) == limit() == limit(enabled=True) == 3
    assert limit(perHour=1) == 1
    assert limit(enabled=False, perHour=5) == 0
