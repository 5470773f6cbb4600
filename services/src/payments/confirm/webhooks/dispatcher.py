"""Sends what is due, many endpoints at a time, few deliveries of each: a slow one delays nobody else.

Delivery is at least once: a process that dies between the sending and the writing down leaves its claim, and
after the lease another one sends again. Order is not promised, since what fails is overtaken.
"""

import asyncio
import logging
import time
from contextlib import AbstractContextManager
from datetime import timedelta

from payments.common import context, metrics, tracing
from payments.common.background import Loop
from payments.common.clock import utcnow
from payments.common.errors import Problem
from payments.confirm.webhooks import retries, signing
from payments.confirm.webhooks.deliveries import Deliveries, Delivery
from payments.confirm.webhooks.sender import Attempt, Sender

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
BREATH_SECONDS = 0.02  # so that what ends together is replaced by one claim
DRAIN_SECONDS = 4.0
PRUNE_SECONDS = 3600.0
_GONE = 410

ATTEMPTS = metrics.counter("payments_webhook_attempts_total", "Attempts to deliver, by outcome.", ["outcome"])
metrics.from_zero(ATTEMPTS, ("delivered", "retry", "gone", "failed"))
SECONDS = metrics.histogram("payments_webhook_attempt_seconds", "How long an attempt took.")
_DELIVERY = tracing.Shape("deliver webhook", tracing.CLIENT, {"http.request.method": "POST"})
SENDING = metrics.gauge("payments_webhook_deliveries_in_flight", "Deliveries that are being sent now.")


class Dispatcher(Loop):
    """Claims, signs, sends and writes down.

    Args:
        table: the waits after failed attempts, in seconds.
        limit: deliveries at a time in this process.
        writers: connections of the database used at a time to write results down.
    """

    def __init__(
        self,
        deliveries: Deliveries,
        sender: Sender,
        *,
        table: tuple[float, ...],
        limit: int,
        writers: int = 2,
    ) -> None:
        super().__init__("webhook dispatcher", self._step)
        self._deliveries = deliveries
        self._sender = sender
        self._table = table
        self._limit = limit
        self._writing = asyncio.Semaphore(writers)
        self._sending: dict[asyncio.Task[None], Delivery] = {}

    async def _step(self) -> float:
        free = self._limit - len(self._sending)
        claimed = await self._deliveries.claim(free) if free > 0 else []
        for delivery in claimed:
            task = asyncio.create_task(self._deliver(delivery))
            self._sending[task] = delivery
            task.add_done_callback(self._done)
        SENDING.set(len(self._sending))
        if not claimed:
            return IDLE_SECONDS
        await asyncio.sleep(BREATH_SECONDS)
        return 0

    def _done(self, task: asyncio.Task[None]) -> None:
        self._sending.pop(task, None)
        SENDING.set(len(self._sending))
        self.wake()

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            headers = signing.headers(delivery.event_id, delivery.body, delivery.secrets, utcnow())
            with _traced(delivery) as span:
                attempt = await self._sender.send(delivery.url, delivery.body, headers)
                if span is not None:
                    _describe(span, attempt)
            outcome, delay = verdict(attempt, delivery.attempt, self._table)
            ATTEMPTS.labels(outcome).inc()
            SECONDS.observe(attempt.duration_ms / 1000)
            async with self._writing:
                await self._deliveries.end(delivery, outcome, attempt, delay)
        except Problem as problem:
            # What came of it is not written down: after the lease it is sent once more.
            log.warning(
                "webhook attempt not written down: %s", problem.code, extra={"delivery_id": delivery.id}
            )
        except Exception:
            log.exception("webhook not sent", extra={"delivery_id": delivery.id})

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        if not self._sending:
            return
        late = (await asyncio.wait(self._sending, timeout=DRAIN_SECONDS))[1]
        left = [self._sending[task] for task in late if task in self._sending]
        for task in late:
            task.cancel()
        if left:
            await asyncio.wait(late, timeout=1)
            try:
                await self._deliveries.release(left)
            except Problem:
                log.warning("%d webhooks are sent again after their lease", len(left))


def _traced(delivery: Delivery) -> AbstractContextManager[tracing.Span | None]:
    """A span in the trace of the event's request. Merchants are told nothing of it."""
    if tracing.recorder is None:
        return tracing.NOTHING
    began = tracing.valid(delivery.traceparent)
    span = tracing.child(began, _DELIVERY)
    tracing.enter(span)  # of this task alone, which ends with it
    context.traceparent.set(began if span is None else span.traceparent)
    if span is None:
        return tracing.NOTHING
    endpoint, event = delivery.endpoint_id, delivery.event_id
    span.note(
        {"webhook.endpoint.id": endpoint, "webhook.event.id": event, "webhook.attempt": delivery.attempt}
    )
    return span


def _describe(span: tracing.Span, attempt: Attempt) -> None:
    """What came of it: never the URL, which may hold a secret, nor the answer."""
    span.failed = not attempt.delivered
    if attempt.status is not None:
        span.note({"http.response.status_code": attempt.status})
    if span.failed:
        span.note({"error.type": attempt.error or str(attempt.status)})


def verdict(attempt: Attempt, number: int, table: tuple[float, ...]) -> tuple[str, timedelta | None]:
    """What an attempt means: delivered, gone, retry after a delay, or failed for good."""
    if attempt.delivered:
        return "delivered", None
    if attempt.status == _GONE:
        return "gone", None
    delay = retries.delay(table, number)
    return ("failed", None) if delay is None else ("retry", delay)


class Pruner(Loop):
    """Deletes old events with their deliveries, once an hour."""

    def __init__(self, deliveries: Deliveries, *, age: timedelta, every: float = PRUNE_SECONDS) -> None:
        super().__init__("webhook pruner", self._step)
        self._deliveries = deliveries
        self._age = age
        self._every = every

    async def _step(self) -> float:
        began = time.monotonic()
        pruned = await self._deliveries.prune(self._age)
        if pruned == 1000:
            return 0.1
        if pruned:
            log.info(
                "old webhook events deleted", extra={"count": pruned, "seconds": time.monotonic() - began}
            )
        return self._every
