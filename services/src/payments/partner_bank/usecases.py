"""Taking an order: once for each reference, with the outcome after the processing delay."""

import asyncio
import logging
import secrets
import time
from datetime import timedelta

from payments.common import context
from payments.common.clock import utcnow
from payments.common.errors import Problem
from payments.common.money import AmountError, exponent
from payments.partner_bank.domain import Entry, Order, decide, reference_number
from payments.partner_bank.store import Store

log = logging.getLogger(__name__)


class Bank:
    """The partner bank.

    Args:
        delay: seconds between an order and its outcome.
    """

    def __init__(self, store: Store, *, delay: float) -> None:
        self._store = store
        self._delay = timedelta(seconds=delay)
        self._late: set[asyncio.Task[Entry]] = set()

    async def process(self, order: Order) -> Entry:
        """Take the order and wait for its outcome. A repeat waits for the outcome of the first.

        Raises:
            Problem(validation_failed): no such currency.
            Problem(payment_mismatch): the reference was used for another order.
        """
        try:
            error_code, fee = decide(order.amount, exponent(order.currency))
        except AmountError as error:
            raise Problem(
                "validation_failed", errors=[{"field": "currency", "message": error.args[0]}]
            ) from error
        number = reference_number(int(time.time() * 1000), secrets.token_hex(4))
        entry = await self._store.accept(
            order, number=number, fee=fee, error_code=error_code, delay=self._delay
        )
        if entry.order != order:
            message = "was used for another order"
            raise Problem("payment_mismatch", errors=[{"field": "reference", "message": message}])
        # At most the delay, should the database's clock be ahead of this one.
        wait = min(self._delay, entry.completes_at - utcnow())
        await asyncio.sleep(max(0.0, wait.total_seconds()))
        return entry

    async def twice(self, order: Order) -> Entry:
        """The same order delivered twice at once; one answer."""
        entry, _ = await asyncio.gather(self.process(order), self.process(order))
        return entry

    async def late(self, order: Order, seconds: float) -> Entry:
        """The order reaches the book only after `seconds`, also when its sender has given up by then."""

        async def later() -> Entry:
            context.deadline.set(None)  # in this task only: the sender's deadline stops nothing here
            await asyncio.sleep(seconds)
            return await self.process(order)

        task = asyncio.create_task(later())
        self._late.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Entry]) -> None:
        self._late.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("a late order was not taken: %r", error)
