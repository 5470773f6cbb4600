"""A circuit breaker: a peer that does not answer is left alone for a moment, then tried with one call.

A pure state machine (Nygard, Release It!): closed lets everything through, open nothing, half-open one probe.
"""

import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum


class State(IntEnum):
    """The numbers are those of the metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Breaker:
    """Ask `allow` before a call and tell `success` or `failure` after it; `neutral` when it proved nothing.

    It opens when at least `failures` calls within `window` seconds failed and they were at least half of all:
    a few lost calls among thousands are no reason to stop. After `pause` seconds one probe decides.

    Args:
        probe_seconds: a probe whose end nobody has told by then counts as lost, and another may go.
        clock: seconds, monotonic.
        changed: told each new state.
    """

    def __init__(
        self,
        *,
        failures: int = 5,
        window: float = 10.0,
        pause: float = 1.0,
        probe_seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[State], None] | None = None,
    ) -> None:
        self._failures = failures
        self._window = window
        self._pause = pause
        self._probe_seconds = probe_seconds
        self._clock = clock
        self._changed = changed
        self._state = State.CLOSED
        self._until = 0.0  # open: when a probe may go; half-open: when the probe counts as lost
        self._seconds: deque[list[int]] = deque()  # [second, successes, failures], oldest first

    @property
    def state(self) -> State:
        """The state as the last call left it."""
        return self._state

    def allow(self) -> bool:
        """Whether a call may go. After a pause the one that gets True is the probe."""
        if self._state is State.CLOSED:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._until = now + self._probe_seconds
        self._to(State.HALF_OPEN)
        return True

    def success(self) -> None:
        """A call was answered: the peer is there."""
        if self._state is not State.CLOSED:
            self._seconds.clear()
            self._to(State.CLOSED)
        self._this_second()[1] += 1

    def failure(self) -> None:
        """A call was not answered."""
        if self._state is State.OPEN:  # it began before; the pause is running
            return
        self._this_second()[2] += 1
        failed = sum(second[2] for second in self._seconds)
        answered = sum(second[1] for second in self._seconds)
        if self._state is State.HALF_OPEN or (failed >= self._failures and failed >= answered):
            self._until = self._clock() + self._pause
            self._to(State.OPEN)

    def neutral(self) -> None:
        """A call ended for a reason of the caller's own: another probe may go."""
        if self._state is State.HALF_OPEN:
            self._until = self._clock()

    def _this_second(self) -> list[int]:
        now = self._clock()
        while self._seconds and self._seconds[0][0] <= now - self._window:
            self._seconds.popleft()
        if not self._seconds or self._seconds[-1][0] != int(now):
            self._seconds.append([int(now), 0, 0])
        return self._seconds[-1]

    def _to(self, state: State) -> None:
        if state is not self._state:
            self._state = state
            if self._changed is not None:
                self._changed(state)
