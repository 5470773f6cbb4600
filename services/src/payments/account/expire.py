"""Releases holds past their time, but only those whose order the bank surely has not carried out.

An unknown outcome is no reason to release: the money may be on its way. So the bank is told to take the order
no more, and only its word that nothing was and will be carried out ends the hold. An order that came in is
confirm-service's to finish.
"""

import logging
from datetime import timedelta

from asyncpg import Record

from payments.account.peers import PartnerBank
from payments.account.store import Store
from payments.common.background import Loop

log = logging.getLogger(__name__)

BATCH = 100
AGAIN_AFTER = timedelta(minutes=5)


class Expirer(Loop):
    """Looks for overdue holds every `seconds`; what cannot be released is looked at again in 5 minutes.

    Several replicas may ask about the same hold; the answer is the same and a hold is resolved once.
    """

    def __init__(self, store: Store, bank: PartnerBank, *, seconds: float) -> None:
        super().__init__("expiry of holds", self._expire, max_backoff=60)
        self._store = store
        self._bank = bank
        self._seconds = seconds

    async def _expire(self) -> float:
        holds = await self._store.overdue(AGAIN_AFTER, BATCH)
        for hold in holds:
            await self._decide(hold)
        return 0 if len(holds) == BATCH else self._seconds

    async def _decide(self, hold: Record) -> None:
        payment = hold["payment_id"]
        status = await self._bank.cancel(hold["bank_reference"])
        if status == "REJECTED":
            if await self._store.expire(payment):
                log.warning("an overdue hold was released", extra={"payment": payment})
            return
        await self._store.checked(payment, f"overdue, and the bank says {status}")
        log.error("a hold is overdue", extra={"payment": payment, "bank": status})
