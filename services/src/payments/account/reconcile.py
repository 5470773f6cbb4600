"""Compares what was posted for payments to the partner bank, and returns from it, with the bank's own book.

A difference is logged and kept beside the hold or the return until it is gone; nothing is ever changed.
"""

import logging
from datetime import timedelta

from asyncpg import Record

from payments.account.domain import Postings, difference
from payments.account.peers import BankEntry, PartnerBank
from payments.account.store import Store
from payments.common.background import Loop

log = logging.getLogger(__name__)

BATCH = 100
AGAIN_AFTER = timedelta(hours=1)


class Reconciler(Loop):
    """Compares new postings every `seconds`, and those that differed every hour.

    Several replicas may compare the same posting; that is wasteful and harmless.
    """

    def __init__(self, store: Store, bank: PartnerBank, *, seconds: float) -> None:
        super().__init__("reconciliation with the partner bank", self._compare_new, max_backoff=60)
        self._store = store
        self._bank = bank
        self._seconds = seconds

    async def _compare_new(self) -> float:
        holds = await self._store.to_check(AGAIN_AFTER, BATCH)
        for hold in holds:
            await self._compare(hold)
        returns = await self._store.returns_to_check(AGAIN_AFTER, BATCH)
        for returned in returns:
            await self._compare_return(returned)
        return 0 if BATCH in (len(holds), len(returns)) else self._seconds

    async def _compare(self, hold: Record) -> None:
        ours = Postings(hold["amount_minor"], hold["fee_minor"], hold["currency"])
        found = _difference(ours, await self._bank.find(hold["bank_reference"]))
        await self._store.checked(hold["payment_id"], found)
        if found is not None:
            log.error("the partner bank's book differs", extra={"payment": hold["payment_id"], "what": found})

    async def _compare_return(self, returned: Record) -> None:
        ours = Postings(returned["amount_minor"], 0, returned["currency"])
        found = _difference(ours, await self._bank.find_return(returned["bank_reference"]))
        await self._store.return_checked(returned["refund_id"], found)
        if found is not None:
            log.error(
                "the partner bank's book differs", extra={"refund": returned["refund_id"], "what": found}
            )


def _difference(ours: Postings, entry: BankEntry | None) -> str | None:
    theirs = Postings(entry.amount, entry.processing_fee, entry.currency) if entry else None
    return difference(ours, theirs, entry.status if entry else None)
