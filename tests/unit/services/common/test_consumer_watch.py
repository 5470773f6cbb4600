"""Silence is what Kafka's answers say, and only while it is asked."""

from collections.abc import Mapping

import pytest

from payments.common.consumer_watch import Watch

SECONDS = 20.0


class Clock:
    """Goes when told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """At some moment."""
    return Clock()


def ask(watch: Watch, clock: Clock, *answers: Mapping[str, int | None]) -> None:
    """One question a second."""
    for answer in answers:
        clock.now += 1
        watch.nothing_came(answer)


def test_silence_from_the_first_assignment_on(clock: Clock) -> None:
    watch = Watch(SECONDS, clock)
    ask(watch, clock, *[{"a": None, "b": None}] * 20)
    with pytest.raises(TimeoutError, match="20 s"):
        ask(watch, clock, {"a": None, "b": None})


def test_silence_after_answers(clock: Clock) -> None:
    watch = Watch(SECONDS, clock)
    ask(watch, clock, *({"a": n, "b": 7} for n in range(60)), *[{"a": 59, "b": 7}] * 19)
    with pytest.raises(TimeoutError):
        ask(watch, clock, {"a": 59, "b": 7})


def test_one_partition_that_is_answered_is_enough(clock: Clock) -> None:
    ask(Watch(SECONDS, clock), clock, *({"a": None, "b": n // 15} for n in range(100)))


def test_without_partitions_there_is_nothing_to_hear(clock: Clock) -> None:
    watch = Watch(SECONDS, clock)
    ask(watch, clock, *[{}] * 100)
    # The first ones that it gets have their whole time.
    ask(watch, clock, *[{"a": None}] * 20)
    with pytest.raises(TimeoutError):
        ask(watch, clock, {"a": None})


def test_a_new_assignment_begins_anew(clock: Clock) -> None:
    watch = Watch(SECONDS, clock)
    ask(watch, clock, *[{"a": 1, "b": 1}] * 15, *[{"a": 1}] * 15, *[{"a": None}] * 15)


def test_the_time_of_a_handler_does_not_count(clock: Clock) -> None:
    watch = Watch(SECONDS, clock)
    ask(watch, clock, *[{"a": 1}] * 15)
    clock.now += 300
    watch.heard()
    ask(watch, clock, *[{"a": 1}] * 19)
    with pytest.raises(TimeoutError):
        ask(watch, clock, {"a": 1})
