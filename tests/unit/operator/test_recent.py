"""What was read lately: kept for a while, dropped when somebody changed it, never older than told."""

from collections.abc import Callable

import pytest

from payment_operator.recent import Recent

Value = dict[str, str]


class Source:
    """Answers with a version that grows by each read; `meanwhile` happens during one."""

    def __init__(self) -> None:
        self.reads = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self) -> Value:
        self.reads += 1
        self.meanwhile()
        return {"version": str(self.reads)}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recent(clock: Clock) -> Recent[str, Value]:
    return Recent(10, clock, lambda value: value["version"])


def test_it_is_read_once_until_it_is_old(recent: Recent[str, Value], clock: Clock) -> None:
    source = Source()
    assert [recent.get("a", source) for _ in range(3)] == [{"version": "1"}] * 3
    clock.now = 9.9
    recent.get("b", source)
    clock.now = 10.0
    assert recent.get("a", source) == {"version": "3"}
    assert recent.get("b", source) == {"version": "2"}


def test_a_change_is_read_and_the_echo_of_what_is_known_is_none(recent: Recent[str, Value]) -> None:
    source = Source()
    recent.get("a", source)
    recent.forget("a", "1")
    assert recent.get("a", source) == {"version": "1"}
    recent.forget("a", "7")
    assert recent.get("a", source) == {"version": "2"}
    recent.forget("a")
    assert recent.get("a", source) == {"version": "3"}


def test_the_answer_to_a_write_is_kept_though_its_echo_comes_first(recent: Recent[str, Value]) -> None:
    source = Source()
    source.meanwhile = lambda: recent.forget("a", str(source.reads))
    assert recent.anew("a", source) == recent.get("a", source) == {"version": "1"}


@pytest.mark.parametrize("told", ["", "7"])
def test_an_answer_that_may_be_older_than_a_change_is_not_kept(recent: Recent[str, Value], told: str) -> None:
    source = Source()
    source.meanwhile = lambda: recent.forget("a", told)
    recent.get("a", source)
    recent.get("a", source)
    assert source.reads == 2


def test_of_two_reads_at_a_time_the_one_that_began_first_is_not_kept(recent: Recent[str, Value]) -> None:
    first, second = Source(), Source()

    def another() -> None:
        recent.get("a", second)

    first.meanwhile = another
    recent.get("a", first)
    recent.get("a", first)
    assert (first.reads, second.reads) == (1, 1)


def test_an_error_and_what_is_not_there_are_not_kept(recent: Recent[str, Value]) -> None:
    def fail() -> Value:
        raise OSError("no answer")

    source = Source()
    recent.get("a", source)
    with pytest.raises(OSError, match="no answer"):
        recent.anew("a", fail)
    assert recent.get("a", source) == {"version": "2"}
    assert recent.get("b", lambda: None) is None
    assert recent.get("b", source) == {"version": "3"}


def test_nothing_is_kept_unless_asked_to(clock: Clock) -> None:
    source = Source()
    plain: Recent[str, Value] = Recent(0, clock)
    plain.get("a", source)
    plain.get("a", source)
    assert source.reads == 2
