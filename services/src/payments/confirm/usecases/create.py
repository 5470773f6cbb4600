"""Creating a payment."""

from decimal import ROUND_CEILING, Decimal

from payments.common import money, tracing
from payments.common.errors import KINDS, Problem
from payments.common.ids import new_id
from payments.common.outbox import Relay
from payments.confirm import answers, measures
from payments.confirm.answers import Answer
from payments.confirm.bodies import CreatePayment
from payments.confirm.idempotency import Key
from payments.confirm.money_peers import Accounts
from payments.confirm.store import Begun, Recalled, Store
from payments.confirm.usecases.confirm import not_begun_problem, replay
from payments.confirm.usecases.settlement import reference

BANK_FEE = Decimal("2.50")  # the partner bank's, in units of the currency


class Create:
    """Checks the accounts and writes the payment down, once for each key."""

    def __init__(self, store: Store, accounts: Accounts, relay: Relay) -> None:
        self._store = store
        self._accounts = accounts
        self._relay = relay

    async def __call__(
        self, body: CreatePayment, key: Key, customer_id: str, actor_token: str | None
    ) -> Answer:
        """201 with the payment. Raises Problem."""
        try:
            await self._validate(body, customer_id, actor_token)
        except Problem:
            # What was created before is answered as it was, whatever the accounts have become.
            recalled = await self._store.recall(key)
            if recalled.outcome == "fresh":
                raise
            return self._recalled(recalled)
        off_us = body.to_routing_number is not None
        payment_id = new_id()
        tracing.note_payment(payment_id)
        recalled = await self._store.create(
            {
                "id": payment_id,
                "customer_id": customer_id,
                "from_account": body.from_account,
                "to_account": body.to_account,
                "to_routing_number": body.to_routing_number,
                "to_name": body.to_name,
                "amount_minor": body.amount,
                "fee_minor": bank_fee(body.currency) if off_us else 0,
                "currency": body.currency,
                "currency_exponent": money.exponent(body.currency),
                "description": body.description,
                "metadata": body.metadata or {},
                "bank_reference": reference() if off_us else None,
            },
            key,
        )
        if recalled.outcome != "created":
            return self._recalled(recalled)
        measures.created(body.currency, off_us=off_us)
        self._relay.wake()
        assert recalled.body is not None
        return Answer(201, recalled.body.encode(), answers.url(payment_id))

    async def _validate(self, body: CreatePayment, customer_id: str, actor_token: str | None) -> None:
        to_account = None if body.to_routing_number is not None else body.to_account
        found = await self._accounts.validate(
            customer_id, body.from_account, to_account, body.currency, actor_token
        )
        if found.valid:
            return
        code = found.reason if found.reason in KINDS else "validation_failed"
        assert code is not None
        field = found.field or "from_account"
        raise Problem(code, errors=[{"field": field, "message": KINDS[code].title}])

    @staticmethod
    def _recalled(recalled: Recalled) -> Answer:
        if recalled.outcome == "replay":
            assert recalled.subject is not None
            return replay(recalled.status, recalled.body, recalled.subject)
        outcome = "key_reused" if recalled.outcome == "key_reused" else "in_flight"
        raise not_begun_problem(Begun(outcome))


def bank_fee(currency: str) -> int:
    """The partner bank's fee in minor units, rounded up: 250 for USD, 3 for JPY."""
    return int(BANK_FEE.scaleb(money.exponent(currency)).to_integral_value(ROUND_CEILING))
