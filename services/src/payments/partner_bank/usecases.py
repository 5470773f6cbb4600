"""Taking orders and returns: once for each reference, with the outcome after the processing delay."""

import asyncio
import secrets
import time
from datetime import datetime, timedelta

from payments.common.clock import utcnow
from payments.common.errors import Problem
from payments.common.money import AmountError, exponent
from payments.partner_bank.domain import (
    DECLINED,
    Entry,
    Order,
    Return,
    ReturnEntry,
    decide,
    reference_number,
)
from payments.partner_bank.store import Store


class Bank:
    """The partner bank.

    Args:
        delay: seconds between an order and its outcome.
    """

    def __init__(self, store: Store, *, delay: float) -> None:
        self._store = store
        self._delay = timedelta(seconds=delay)

    async def process(self, order: Order, *, declined: bool = False) -> Entry:
        """Take the order and wait for its outcome. A repeat waits for the outcome of the first.

        Args:
            declined: decide against it, whatever the rules say.

        Raises:
            Problem(validation_failed): no such currency.
            Problem(payment_mismatch): the reference was used for another order.
        """
        error_code, fee = decide(order.amount, _exponent(order.currency))
        if declined and error_code is None:
            error_code, fee = DECLINED, 0
        entry = await self._store.accept(
            order, number=_number(), fee=fee, error_code=error_code, delay=self._delay
        )
        _check_same(entry.order == order)
        await self._wait(entry.completes_at)
        return entry

    async def give_back(self, order: Return, *, declined: bool = False) -> ReturnEntry:
        """Take the return and wait for its outcome; as `process`."""
        _exponent(order.currency)
        entry = await self._store.accept_return(
            order, number=_number(), declined=DECLINED if declined else None, delay=self._delay
        )
        _check_same(entry.order == order)
        await self._wait(entry.completes_at)
        return entry

    async def _wait(self, completes_at: datetime) -> None:
        # At most the delay, should the database's clock be ahead of this one.
        wait = min(self._delay, completes_at - utcnow())
        await asyncio.sleep(max(0.0, wait.total_seconds()))


def _number() -> str:
    return reference_number(int(time.time() * 1000), secrets.token_hex(4))


def _exponent(currency: str) -> int:
    try:
        return exponent(currency)
    except AmountError as error:
        errors = [{"field": "currency", "message": error.args[0]}]
        raise Problem("validation_failed", errors=errors) from error


def _check_same(same: bool) -> None:
    if not same:
        message = "was used for another order"
        raise Problem("payment_mismatch", errors=[{"field": "reference", "message": message}])
