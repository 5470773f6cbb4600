"""Gauges that only the database or Kafka can tell: asked in the background, never by a scrape.

All replicas of a service tell the same; queries take the maximum of them. A sample that fails keeps the
values before it, and `payments_sample_timestamp_seconds` says how old they are.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from payments.common import metrics
from payments.common.background import Loop

TAKEN = metrics.gauge(
    "payments_sample_timestamp_seconds", "When a sample of gauges was last taken, Unix time.", ["sample"]
)


class Sample(NamedTuple):
    """Gauges that are set together by `take`, which may raise whatever its library raises."""

    name: str
    take: Callable[[], Awaitable[None]]


def loops(samples: Iterable[Sample], seconds: float) -> list[Loop]:
    """Takes each sample at once and then every `seconds`."""
    return [_loop(sample, seconds) for sample in samples]


def _loop(sample: Sample, seconds: float) -> Loop:
    taken = TAKEN.labels(sample.name)
    taken.set(time.time())  # a pod that never gets a first one is as late as one that gets no second

    async def step() -> float:
        await sample.take()
        taken.set(time.time())
        return seconds

    return Loop(f"sample of {sample.name}", step, max_backoff=seconds)
