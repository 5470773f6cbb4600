"""Goes on with what a crash, a lost answer or a silent bank has left behind; expires and cleans up.

One loop in each replica; a row is worked on by one of them (FOR UPDATE SKIP LOCKED, then a claim).
"""

import asyncio
import logging
from datetime import timedelta
from time import monotonic

from payments.common import context
from payments.common.background import Loop
from payments.common.ids import new_id
from payments.confirm.domain import Payment, Refund
from payments.confirm.refunds import Refunds
from payments.confirm.store import Store
from payments.confirm.usecases.confirm import Confirm
from payments.confirm.usecases.refund import CreateRefunds

log = logging.getLogger(__name__)

BATCH = 20
EXPIRE_BATCH = 200
IDLE_SECONDS = 1.0


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
    ) -> None:
        super().__init__("janitor", self._step)
        self._store = store
        self._refunds = refunds
        self._confirm = confirm
        self._refund = refund
        self._keys_kept = keys_kept
        self._cleaning_seconds = cleaning_seconds
        self._clean_at = 0.0

    async def _step(self) -> float:
        payments = await self._store.claim_stuck(BATCH)
        refunds = await self._refunds.claim_stuck(BATCH)
        await asyncio.gather(
            *(self._settle_payment(payment) for payment in payments),
            *(self._settle_refund(refund) for refund in refunds),
        )
        busy = len(payments) == BATCH or len(refunds) == BATCH
        if monotonic() >= self._clean_at:
            expired = await self._store.expire(EXPIRE_BATCH)
            purged = await self._store.purge(self._keys_kept)
            if expired < EXPIRE_BATCH and purged < 1000:
                self._clean_at = monotonic() + self._cleaning_seconds
            else:
                busy = True
        return 0 if busy else IDLE_SECONDS

    async def _settle_payment(self, payment: Payment) -> None:
        context.request_id.set(new_id())
        try:
            answer = await self._confirm.resume(payment)
        except Exception:
            # One payment's trouble must not keep the others waiting; its lease brings it back.
            log.exception("payment not settled", extra={"payment_id": payment.id, "checks": payment.checks})
            return
        log.info(
            "payment looked after",
            extra={"payment_id": payment.id, "checks": payment.checks, "answer": answer.status},
        )

    async def _settle_refund(self, refund: Refund) -> None:
        context.request_id.set(new_id())
        try:
            await self._refund.resume(refund)
        except Exception:
            log.exception("refund not settled", extra={"refund_id": refund.id, "checks": refund.checks})
