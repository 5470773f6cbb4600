"""What belongs to the request at hand: its id, its trace, its payment and its deadline."""

import time
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
payment_id: ContextVar[str] = ContextVar("payment_id", default="")
deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def remaining(limit: float) -> float:
    """Seconds that a call may take: `limit`, or what the request's deadline leaves, at least 1 ms."""
    end = deadline.get()
    return limit if end is None else max(0.001, min(limit, end - time.time()))
