"""Refunding a payment, in full, in part or several times; never more than was paid."""

import logging
from datetime import timedelta

import msgspec

from payments.common.errors import Problem, unavailable
from payments.common.ids import new_id
from payments.common.outbox import Relay
from payments.confirm import answers
from payments.confirm.answers import Answer
from payments.confirm.bodies import CreateRefund
from payments.confirm.domain import Refund
from payments.confirm.idempotency import Key
from payments.confirm.money_peers import Accounts, Bank, BankTransfer, Refused, Unknown, Untouched
from payments.confirm.refunds import Refunds
from payments.confirm.usecases.confirm import not_begun
from payments.confirm.usecases.settlement import reference

log = logging.getLogger(__name__)


class CreateRefunds:
    """Written down first, so that the sum is reserved; then posted, unique by refund; then ended.

    When the payment went to another bank, that bank is asked for the money before it is posted.
    """

    def __init__(self, refunds: Refunds, accounts: Accounts, bank: Bank, relay: Relay) -> None:
        self._refunds = refunds
        self._accounts = accounts
        self._bank = bank
        self._relay = relay

    async def __call__(
        self, payment_id: str, body: CreateRefund, key: Key, customer_id: str | None, actor_token: str | None
    ) -> Answer:
        """201 with the refund, 202 while it is not known. Raises Problem."""
        begun = await self._refunds.begin(
            payment_id,
            body,
            key,
            customer_id=customer_id,
            claim=new_id(),
            bank_reference="RET" + reference().removeprefix("PAY"),
        )
        if begun.outcome != "done":
            answer = not_begun(begun, key, payment_id)
            return answer._replace(location=_location(answer))
        assert begun.body is not None
        refund = msgspec.json.decode(begun.body, type=Refund)
        try:
            answer = await self.post(refund, actor_token)
        except Untouched as error:
            await self._refunds.drop(refund)
            raise unavailable(str(error)) from error
        return answer

    async def resume(self, refund: Refund) -> None:
        """Go on with a refund whose request ended without a result, as the service itself."""
        try:
            await self.post(refund, None)
        except Untouched:
            await self._leave(refund)

    async def post(self, refund: Refund, actor_token: str | None) -> Answer:
        """Move the money back and end the refund. Raises Untouched, with nothing done."""
        if refund.off_us:
            return await self._post_off_us(refund)
        try:
            await self._accounts.refund(refund, actor_token)
        except Refused as refused:
            return await self._fail(refund, Problem(refused.code))
        except Unknown:
            return await self._leave(refund)
        return await self._succeed(refund)

    async def _post_off_us(self, refund: Refund) -> Answer:
        """The bank decides under the refund's reference; what it has returned is the payer's."""
        try:
            returned = await self._ask_bank(refund)
        except Unknown:
            return await self._leave(refund)
        if returned.status != "COMPLETED":
            members = {"bank_error_code": returned.error_code} if returned.error_code else {}
            return await self._fail(refund, Problem("bank_declined", members=members))
        try:
            await self._accounts.post_return(refund)
        except (Untouched, Unknown):
            return await self._leave(refund)
        except Refused as refused:
            # The money is here, so this refund never fails; somebody has to look why it cannot be posted.
            log.error("a returned amount was not posted", extra={"refund_id": refund.id, "why": refused.code})
            return await self._leave(refund)
        return await self._succeed(refund)

    async def _ask_bank(self, refund: Refund) -> BankTransfer:
        """What the bank has decided; only what it has never got is sent. Raises Untouched or Unknown."""
        if refund.checks > 0:
            known = await self._bank.return_status(refund)
            if known is not None:
                return known
        return await self._bank.give_back(refund)

    async def _succeed(self, refund: Refund) -> Answer:
        try:
            document = await self._refunds.succeed(refund)
        except Problem:
            return await self._leave(refund)
        self._relay.wake()
        return Answer(201, document.encode(), f"/v1/refunds/{refund.id}")

    async def _fail(self, refund: Refund, problem: Problem) -> Answer:
        body = problem.body(answers.instance(refund.route, refund.payment_id))
        try:
            await self._refunds.fail(refund, problem, body)
        except Problem:
            return await self._leave(refund)
        self._relay.wake()
        return Answer(problem.status, body)

    async def _leave(self, refund: Refund) -> Answer:
        """The outcome is not known: the janitor asks or posts it again, which is safe, until it is."""
        delay = timedelta(seconds=min(60, 2**refund.checks))
        document = None
        try:
            document = await self._refunds.postpone(refund, delay)
        except Problem:
            document = None  # the lease runs out, then the janitor takes over all the same
        body = document.encode() if document else msgspec.json.encode({"id": refund.id, "object": "refund"})
        return Answer(202, body, f"/v1/refunds/{refund.id}", retry_after=2)


def _location(answer: Answer) -> str | None:
    """Where a replayed refund is; a replayed error is nowhere."""
    if answer.status != 201:
        return None
    return f"/v1/refunds/{msgspec.json.decode(answer.body)['id']}"
