"""Moving the money of an authorized payment: in the ledger, or through the partner bank."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from payments.common.errors import Problem, unavailable
from payments.confirm.answers import Answer
from payments.confirm.domain import Stage
from payments.confirm.money_peers import Accounts, Bank, BankTransfer, Refused, Unknown, Untouched
from payments.confirm.store import Store
from payments.confirm.usecases.settlement import Attempt, Settlement

log = logging.getLogger(__name__)

Assess = Callable[[Attempt], Awaitable[dict[str, Any] | None]]

# How often the janitor waits for an assessment (2, 4, 8 s) before it ends a posted payment without it.
CHECKS_FOR_ASSESSMENT = 3


class Execute:
    """Moves money at most once, whoever tries how often: every step is unique by payment."""

    def __init__(self, store: Store, settlement: Settlement, accounts: Accounts, bank: Bank) -> None:
        self._store = store
        self._settlement = settlement
        self._accounts = accounts
        self._bank = bank

    async def on_us(self, attempt: Attempt, changes: dict[str, Any]) -> Answer:
        """Post the transfer between two accounts of this platform (one call)."""
        if attempt.late:
            return await self._release(attempt)
        try:
            await self._accounts.transfer(attempt.payment, attempt.actor_token)
        except Refused as refused:
            return await self._settlement.release(attempt, Problem(refused.code), changes, final=True)
        except Untouched:
            return await self._release(attempt)
        except Unknown:
            return await self._settlement.leave_to_janitor(attempt)
        return await self._settlement.succeed(attempt, changes)

    async def off_us(self, attempt: Attempt, changes: dict[str, Any]) -> Answer:
        """Hold, let the bank transfer, post. From the hold on the payment only goes forward."""
        payment = attempt.payment
        resumed = payment.stage is Stage.SUBMITTED  # then an earlier attempt may have left a hold
        if not resumed:
            # From here on whoever takes over asks the bank first; it may have been told.
            if not await self._store.advance(payment, Stage.SUBMITTED, changes.get("assessment")):
                return await self._settlement.leave_to_janitor(attempt)
            attempt = replace(attempt, payment=replace(payment, stage=Stage.SUBMITTED))
        give_back = self._settlement.leave_to_janitor if resumed else self._release
        if attempt.late:
            return await give_back(attempt)
        try:
            await self._accounts.hold(attempt.payment, attempt.actor_token)
        except Refused as refused:
            if refused.code == "illegal_state":
                # The hold has expired: the bank has said that it never carries this transfer out.
                return await self._settlement.fail(attempt, Problem("bank_declined"), changes)
            return await self._settlement.release(attempt, Problem(refused.code), changes, final=True)
        except Untouched:
            return await give_back(attempt)
        except Unknown:
            return await self._settlement.leave_to_janitor(attempt)
        if attempt.late:
            return await self._settlement.leave_to_janitor(attempt)
        try:
            transfer = await self._bank.process(attempt.payment)
        except (Unknown, Untouched):
            return await self._settlement.leave_to_janitor(attempt)
        return await self._conclude(attempt, transfer, changes)

    async def resume_off_us(self, attempt: Attempt) -> Answer:
        """Go on with a payment of which the bank may know: ask it; only what it never got is sent again."""
        try:
            transfer = await self._bank.status(attempt.payment)
        except Unknown:
            return await self._settlement.leave_to_janitor(attempt)
        if transfer is None:
            return await self.off_us(attempt, {})
        return await self._conclude(attempt, transfer, {})

    async def resume_on_us(self, attempt: Attempt, assess: Assess) -> Answer | None:
        """Finish a payment whose transfer was posted; None when it was not.

        Args:
            assess: makes the assessment again; the first one was lost with the attempt that had made it,
                unless the recovery point says that it was stored.
        """
        payment = attempt.payment
        try:
            posted = await self._accounts.transferred(payment.id)
        except Unknown:
            return await self._settlement.leave_to_janitor(attempt)
        if not posted:
            return None
        if payment.stage is not Stage.NEW:
            return await self._settlement.succeed(attempt, {})
        assessment = await assess(attempt)
        if assessment is not None:
            return await self._settlement.succeed(attempt, {"assessment": assessment})
        if payment.checks <= CHECKS_FOR_ASSESSMENT:
            return await self._settlement.leave_to_janitor(attempt)
        log.error("a posted payment ends without its assessment", extra={"payment_id": payment.id})
        return await self._settlement.succeed(attempt, {})

    async def _conclude(self, attempt: Attempt, transfer: BankTransfer, changes: dict[str, Any]) -> Answer:
        """The bank has decided: post the hold, or release it."""
        changes = {**changes, "bank_transfer": transfer.reference_number}
        try:
            if transfer.status == "COMPLETED":
                await self._accounts.post_hold(attempt.payment)
                return await self._settlement.succeed(attempt, changes)
            await self._accounts.void_hold(attempt.payment)
        except (Refused, Untouched, Unknown):
            return await self._settlement.leave_to_janitor(attempt)
        members = {"bank_error_code": transfer.error_code} if transfer.error_code else {}
        return await self._settlement.fail(attempt, Problem("bank_declined", members=members), changes)

    async def _release(self, attempt: Attempt) -> Answer:
        """The ledger cannot be reached, or there is no time left for it: nothing has moved."""
        return await self._settlement.release(attempt, unavailable("account-service"), final=False)
