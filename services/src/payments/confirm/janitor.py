"""Goes on with what a crash, a lost answer or a silent bank has left behind; alerts, expires and cleans up.

One loop in each replica; a row is worked on by one of them (FOR UPDATE SKIP LOCKED, then a claim).
"""

import asyncio
import logging
from contextlib import AbstractContextManager
from datetime import timedelta
from time import monotonic

from payments.common import context, metrics, tracing
from payments.common.background import Loop
from payments.common.clock import rfc3339
from payments.common.ids import new_id
from payments.confirm import measures
from payments.confirm.domain import Payment, Refund
from payments.confirm.refunds import Refunds
from payments.confirm.store import Store
from payments.confirm.usecases.confirm import Confirm
from payments.confirm.usecases.refund import CreateRefunds

log = logging.getLogger(__name__)

BATCH = 20
EXPIRE_BATCH = 200
STUCK_BATCH = 100
IDLE_SECONDS = 1.0
WATCH_SECONDS = 5.0

STUCK = metrics.gauge(
    "payments_stuck", "Payments in processing for longer than STUCK_SECONDS; the same in all pods."
)
OLDEST = metrics.gauge(
    "payments_unknown_outcome_oldest_age_seconds",
    "Age of the oldest payment whose outcome is not known, 0 for none; the same in all pods.",
)
SETTLED = metrics.counter(
    "payments_janitor_checks_total", "Payments that the janitor looked after.", ["answer"]
)
metrics.from_zero(SETTLED, ("200", "202", "402", "403", "503", "error"))
_PAYMENT = tracing.Shape("settle payment", tracing.INTERNAL, {})
_REFUND = tracing.Shape("settle refund", tracing.INTERNAL, {})


class Janitor(Loop):
    """Settles by asking, never by guessing, and acts as the service itself."""

    def __init__(
        self,
        store: Store,
        refunds: Refunds,
        confirm: Confirm,
        refund: CreateRefunds,
        *,
        keys_kept: timedelta,
        cleaning_seconds: float,
        stuck_after: timedelta,
    ) -> None:
        super().__init__("janitor", self._step)
        self._store = store
        self._refunds = refunds
        self._confirm = confirm
        self._refund = refund
        self._keys_kept = keys_kept
        self._cleaning_seconds = cleaning_seconds
        self._clean_at = 0.0
        self._stuck_after = stuck_after
        self._watch_at = 0.0

    async def _step(self) -> float:
        payments = await self._store.claim_stuck(BATCH)
        refunds = await self._refunds.claim_stuck(BATCH)
        await asyncio.gather(
            *(self._settle_payment(payment) for payment in payments),
            *(self._settle_refund(refund) for refund in refunds),
        )
        busy = len(payments) == BATCH or len(refunds) == BATCH
        if monotonic() >= self._watch_at:
            await self._watch()
        if monotonic() >= self._clean_at:
            expired = await self._store.expire(EXPIRE_BATCH)
            measures.canceled(expired, code="expired")
            purged = await self._store.purge(self._keys_kept)
            forgotten = await self._store.forget_spending()
            if expired < EXPIRE_BATCH and purged < 1000 and forgotten < 1000:
                self._clean_at = monotonic() + self._cleaning_seconds
            else:
                busy = True
        return 0 if busy else IDLE_SECONDS

    async def _watch(self) -> None:
        """Tell, once for each attempt, that nobody knows what became of a payment."""
        self._watch_at = monotonic() + min(WATCH_SECONDS, self._cleaning_seconds)
        for payment in await self._store.alert_stuck(self._stuck_after, STUCK_BATCH):
            log.error(
                "payment is stuck: its outcome is not known since %s",
                rfc3339(payment.since),
                extra={"payment_id": payment.id, "stage": payment.stage, "checks": payment.checks},
            )
        unfinished = await self._store.unfinished(self._stuck_after)
        STUCK.set(unfinished.stuck)
        OLDEST.set(unfinished.oldest)

    async def _settle_payment(self, payment: Payment) -> None:
        context.request_id.set(new_id())
        try:
            with await self._traced(_PAYMENT, payment.id):
                answer = await self._confirm.resume(payment)
        except Exception:
            # One payment's trouble must not keep the others waiting; its lease brings it back.
            log.exception("payment not settled", extra={"payment_id": payment.id, "checks": payment.checks})
            SETTLED.labels("error").inc()
            return
        SETTLED.labels(str(answer.status)).inc()
        log.info(
            "payment looked after",
            extra={"payment_id": payment.id, "checks": payment.checks, "answer": answer.status},
        )

    async def _traced(self, shape: tracing.Shape, payment_id: str) -> AbstractContextManager[object]:
        """A span in the trace of what was left undone; what follows, events too, belongs to that trace."""
        if tracing.recorder is None:
            return tracing.NOTHING
        began = tracing.valid(await self._store.trace(payment_id))
        span = tracing.child(began, shape)
        tracing.enter(span)  # of this task alone, which ends with it
        context.traceparent.set(began if span is None else span.traceparent)
        tracing.note_payment(payment_id)
        return tracing.NOTHING if span is None else span

    async def _settle_refund(self, refund: Refund) -> None:
        context.request_id.set(new_id())
        try:
            with await self._traced(_REFUND, refund.payment_id):
                await self._refund.resume(refund)
        except Exception:
            log.exception("refund not settled", extra={"refund_id": refund.id, "checks": refund.checks})
