"""The circuit breaker as a state machine, with a clock set by hand."""

import random

import pytest

from payments.common.breaker import Breaker, State


class Circuit:
    """A breaker, its clock and the states it went through."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.states: list[State] = []
        self.breaker = Breaker(
            failures=3,
            window=10,
            pause=1,
            probe_seconds=5,
            clock=lambda: self.now,
            changed=self.states.append,
        )

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.breaker.allow()
            self.breaker.failure()


@pytest.fixture
def circuit() -> Circuit:
    return Circuit()


def test_it_opens_after_the_failures_of_a_window(circuit: Circuit) -> None:
    circuit.fail(2)
    assert circuit.states == []
    circuit.fail()
    assert circuit.states == [State.OPEN]
    assert not circuit.breaker.allow()


def test_failures_older_than_the_window_are_forgotten(circuit: Circuit) -> None:
    circuit.fail(2)
    circuit.now += 11
    circuit.fail(2)
    assert circuit.breaker.state is State.CLOSED


def test_a_few_failures_among_many_answers_open_nothing(circuit: Circuit) -> None:
    for _ in range(10):
        circuit.breaker.success()
    circuit.fail(9)
    assert circuit.states == []
    circuit.fail()
    assert circuit.states == [State.OPEN]


def test_after_the_pause_one_probe_goes_and_its_answer_closes(circuit: Circuit) -> None:
    circuit.fail(3)
    circuit.now += 0.999
    assert not circuit.breaker.allow()
    circuit.now += 0.001
    assert circuit.breaker.allow()
    assert not circuit.breaker.allow()
    circuit.breaker.success()
    assert circuit.breaker.allow() and circuit.breaker.allow()
    assert circuit.states == [State.OPEN, State.HALF_OPEN, State.CLOSED]
    circuit.fail(2)
    assert circuit.breaker.state is State.CLOSED  # what was before counts no more


def test_a_probe_that_fails_opens_for_another_pause(circuit: Circuit) -> None:
    circuit.fail(3)
    circuit.now += 1
    circuit.fail()
    assert circuit.states == [State.OPEN, State.HALF_OPEN, State.OPEN]
    assert not circuit.breaker.allow()
    circuit.now += 1
    assert circuit.breaker.allow()


def test_a_probe_that_proves_nothing_or_is_lost_makes_room_for_another(circuit: Circuit) -> None:
    circuit.fail(3)
    circuit.now += 1
    assert circuit.breaker.allow()
    circuit.breaker.neutral()
    assert circuit.breaker.allow()
    circuit.now += 4.9
    assert not circuit.breaker.allow()
    circuit.now += 0.1
    assert circuit.breaker.allow()


def test_calls_that_began_before_it_opened_do_not_prolong_the_pause(circuit: Circuit) -> None:
    circuit.fail(3)
    circuit.now += 0.9
    circuit.breaker.failure()
    circuit.now += 0.1
    assert circuit.breaker.allow()


def test_a_call_past_the_breaker_that_is_answered_closes_it(circuit: Circuit) -> None:
    circuit.fail(3)
    circuit.breaker.success()
    assert circuit.breaker.state is State.CLOSED


@pytest.mark.parametrize("seed", range(5))
def test_it_never_stays_shut_whatever_happens(circuit: Circuit, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(3000):
        if circuit.breaker.allow():
            dice.choice((circuit.breaker.success, circuit.breaker.failure, circuit.breaker.neutral, int))()
        else:
            # Shut for at most a pause, or as long as a probe may take.
            assert circuit.breaker.state is not State.CLOSED
        circuit.now += dice.random() * 0.5
    circuit.now += 5
    assert circuit.breaker.allow()
