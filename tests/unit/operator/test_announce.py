"""Which changes of the conditions are told, as what, and how the same news is counted."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from payment_operator import keys
from payment_operator.announce import Notice, name_of, notices
from tests.unit.operator.world import World

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def status(installed: bool = True, **conditions: tuple[str, str]) -> dict[str, Any]:
    """A status with some conditions."""
    items = [
        {"type": kind, "status": value, "reason": reason, "message": f"{kind} is {reason}"}
        for kind, (value, reason) in conditions.items()
    ]
    return {"conditions": items} | ({"release": "0.1.0"} if installed else {})


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (status(PostgresReady=("True", "Ready")), status(PostgresReady=("True", "Ready")), []),
        (
            status(PostgresReady=("True", "Ready")),
            status(PostgresReady=("False", "NotReady")),
            [("Warning", "PostgresNotReady")],
        ),
        (
            status(PostgresReady=("False", "NotReady")),
            status(PostgresReady=("True", "Ready")),
            [("Normal", "PostgresReady")],
        ),
        (
            status(Degraded=("False", "AsDeclared")),
            status(Degraded=("True", "PodsFailing")),
            [("Warning", "PodsFailing")],
        ),
        (
            status(Degraded=("True", "PodsFailing")),
            status(Degraded=("True", "ApplyFailed")),
            [("Warning", "ApplyFailed")],
        ),
        (
            status(Degraded=("True", "PodsFailing")),
            status(Degraded=("False", "AsDeclared")),
            [("Normal", "Recovered")],
        ),
        (
            status(Progressing=("False", "Complete")),
            status(Progressing=("True", "RollingOut")),
            [("Normal", "RollingOut")],
        ),
        (
            status(Ready=("True", "Ready")),
            status(Ready=("False", "KafkaNotReady")),
            [("Warning", "NotReady")],
        ),
        ({}, status(Ready=("True", "Ready"), KafkaReady=("True", "Ready")), [("Normal", "Ready")]),
        (status(False), status(False, PostgresReady=("False", "NotReady")), []),
        (status(), status(PaymentPathReady=("Unknown", "NotImplemented")), []),
    ],
)
def test_what_is_told(before: dict[str, Any], after: dict[str, Any], told: list[tuple[str, str]]) -> None:
    assert [(notice.type, notice.reason) for notice in notices(before, after)] == told


def test_the_same_news_counts_one_event_up_and_rest_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "RSA_BITS", 1024)
    world = World.fake(tmp_path)
    world.declare()
    world.settle()

    def events() -> dict[str, dict[str, Any]]:
        return {
            item["reason"]: item for (kind, _, _), item in world.cluster.objects.items() if kind == "Event"
        }

    assert events()["Ready"]["count"] == 1
    assert events()["Ready"]["involvedObject"]["name"] == "payments"
    postgres = world.cluster.objects["StatefulSet", "shop", "postgres"]["status"]
    for count in (1, 2):
        postgres["readyReplicas"] = 0
        world.run()
        postgres["readyReplicas"] = 1
        world.settle()
        warning = events()["PostgresNotReady"]
        assert (warning["type"], warning["count"]) == ("Warning", count)
        assert "describe pod" in warning["message"]
    world.run()
    assert world.cluster.log == []


def test_an_event_that_cannot_be_written_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "RSA_BITS", 1024)
    world = World.fake(tmp_path)
    platform = world.declare()
    world.cluster.forbidden.add(name_of(platform, Notice("Normal", "Ready", "a payment can be made")))
    world.settle()
    assert world.condition("Ready") == ("True", "Ready")
