"""Sending another one-time password for a payment that waits for one."""

from payments.common.errors import Problem
from payments.confirm import domain
from payments.confirm.answers import Answer
from payments.confirm.domain import Action
from payments.confirm.idempotency import Key
from payments.confirm.peers import Otp
from payments.confirm.queries import Queries
from payments.confirm.store import Begun, Store, decode_payment
from payments.confirm.usecases.confirm import not_begun, not_begun_problem


class ResendOtp:
    """Limits and the count of tries are otp-service's; a new password never gives new tries."""

    def __init__(self, store: Store, queries: Queries, otp: Otp) -> None:
        self._store = store
        self._queries = queries
        self._otp = otp

    async def __call__(self, payment_id: str, key: Key, customer_id: str, actor_token: str | None) -> Answer:
        """200 with the payment. Raises Problem."""
        found = await self._queries.work(payment_id, customer_id)
        if found is None:
            raise Problem("payment_not_found")
        if not await self._store.reserve_key(key, payment_id):
            recalled = await self._store.recall(key)
            outcome = "in_flight" if recalled.outcome in ("open", "fresh") else recalled.outcome
            return not_begun(Begun(outcome, recalled.status, recalled.body), key, payment_id)
        payment = decode_payment(found)
        try:
            if payment.status not in domain.sources(Action.RESEND_OTP):
                document = await self._queries.payment(payment_id, customer_id)
                raise not_begun_problem(Begun("illegal", body=document))
            sent = await self._otp.generate(payment, actor_token, resend=True)
            document = await self._queries.note_otp(payment_id, sent.expires_at)
            if document is None:
                document = await self._queries.payment(payment_id, customer_id)
                raise not_begun_problem(Begun("illegal", body=document))
        except Problem:
            await self._store.free_key(key)
            raise
        body = document.encode()
        await self._store.answer_key(key, 200, body)
        return Answer(200, body)
