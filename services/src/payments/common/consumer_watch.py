"""Tells a consumer to which Kafka has stopped answering from one that merely has no messages."""

import time
from collections.abc import Callable, Mapping
from typing import Any


class Watch:
    """How long one consumer has asked and heard nothing.

    Kafka answers each fetch within half a second, also when there are no messages. A consumer without
    partitions fetches nothing and is never silent.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._answers: Mapping[Any, int | None] = {}
        self._since = clock()

    def heard(self) -> None:
        """Messages came and are done with: the time that took is no silence."""
        self._since = self._clock()

    def nothing_came(self, answers: Mapping[Any, int | None]) -> None:
        """No message came; `answers` is the time of the last answer for each assigned partition, if any.

        Raises:
            TimeoutError: none of them has changed for as long as may be.
        """
        if not answers or answers != self._answers:
            self._answers = dict(answers)
            self.heard()
        elif self._clock() - self._since >= self._seconds:
            raise TimeoutError(f"no answer to a fetch for {self._seconds:g} s")
