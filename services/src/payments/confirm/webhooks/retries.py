"""When a delivery that failed is tried again. The standard library only.

The default table, in seconds after each failed attempt, ends after about a day (85,355 s, eleven attempts):

    5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, 4 h, 8 h, 8 h

Each wait is between 0.8 and 1.2 times the table's, so that what failed together does not come back together.
"""

import random
from datetime import timedelta

DEFAULT = "5,30,120,600,1800,3600,7200,14400,28800,28800"
JITTER = 0.2


def parse(text: str) -> tuple[float, ...]:
    """The waits in seconds of a comma-separated list. Raises ValueError."""
    waits = tuple(float(part) for part in text.split(",") if part.strip())
    if not all(0 < wait <= 7 * 86400 for wait in waits):
        raise ValueError("each wait must be above 0 and at most 604800 seconds")
    return waits


def delay(table: tuple[float, ...], attempt: int, spread: float | None = None) -> timedelta | None:
    """How long to wait after failed attempt number `attempt` (from 1); None when it was the last one.

    Args:
        spread: from 0 to 1, random unless given.
    """
    if attempt > len(table):
        return None
    where = random.random() if spread is None else spread  # spreads load, guards nothing
    return timedelta(seconds=table[attempt - 1] * (1 - JITTER + 2 * JITTER * where))
