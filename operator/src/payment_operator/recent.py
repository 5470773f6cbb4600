"""What was read lately and is told when it changes, so that it need not be read again at every look.

An answer is kept for a few seconds only, less than what lies between two full passes: what no watch told is
seen there, as ever.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Answers of the last ``keep`` seconds; 0: none is kept. Thread-safe.

    ``version`` of an answer is compared with what is told of changes, for the echo of an own write is none.
    """

    def __init__(
        self, keep: float, clock: Callable[[], float], version: Callable[[Value], str] = lambda _: ""
    ) -> None:
        self._keep = keep
        self._clock = clock
        self._version = version
        self._lock = threading.Lock()
        self._found: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._asked: dict[Key, list[str]] = {}
        """What was told of a key since it was asked for."""

    def get(self, key: Key, read: Callable[[], Value | None]) -> Value | None:
        """The answer of the last seconds, or that of ``read``; None is never kept. Raises what it raises."""
        with self._lock:
            self._expire()
            if key in self._found:
                return self._found[key][1]
        return self.anew(key, read)

    def anew(self, key: Key, ask: Callable[[], Value | None]) -> Value | None:
        """The answer of ``ask``, a read or a write, whatever was known. Raises what it raises."""
        told: list[str] = []
        with self._lock:
            self._found.pop(key, None)
            self._asked[key] = told
        value = None
        try:
            value = ask()
        finally:
            with self._lock:
                if self._asked.get(key) is told:
                    del self._asked[key]
                    # What changed meanwhile may be older in the answer.
                    if value is not None and self._keep and told[-1:] in ([], [self._version(value)]):
                        self._found[key] = (self._clock() + self._keep, value)
        return value

    def forget(self, key: Key, version: str = "") -> None:
        """It changed, or may have; to ``version`` if that is known."""
        with self._lock:
            if key in self._asked:
                self._asked[key].append(version)
            if key in self._found and (not version or self._version(self._found[key][1]) != version):
                del self._found[key]

    def _expire(self) -> None:
        """The oldest are first, for all are kept for the same time."""
        now = self._clock()
        while self._found and next(iter(self._found.values()))[0] <= now:
            self._found.popitem(last=False)
