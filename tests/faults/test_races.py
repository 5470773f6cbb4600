"""Requests that race: funds for one of many, one key for many."""

import asyncio
from typing import Any

from tests.faults.conftest import SEED
from tests.support.faults.api import Answer
from tests.support.faults.load import BANK, Customer
from tests.support.faults.sizes import Sizes, rng
from tests.support.faults.system import Platform

FEE = 250


async def create(payer: Customer, payee: Customer | None, amount: int) -> str:
    body: dict[str, Any] = {"amount": amount, "currency": "USD", "from_account": payer.account}
    body |= BANK if payee is None else {"to_account": payee.account}
    created = await payer.api.until_final("/v1/payments", body)
    assert created.status == 201, created
    return str(created.body["id"])


async def test_of_many_payments_with_funds_for_one_exactly_one_succeeds(
    system: Platform, size: Sizes, report: dict[str, Any]
) -> None:
    dice = rng("races", SEED)
    succeeded = []
    for _ in range(size.race_rounds):
        (payer,) = await system.customers(1, dice, balance=10_000)
        (payee,) = await system.customers(1, dice, balance=0)
        # Every third one to another bank: with its fee it takes all there is, too.
        payments = await asyncio.gather(
            *(
                create(payer, None if n % 3 == 0 else payee, 10_000 - (FEE if n % 3 == 0 else 0))
                for n in range(size.racers)
            )
        )
        answers = await asyncio.gather(
            *(payer.api.until_final(f"/v1/payments/{payment}/confirm") for payment in payments)
        )
        statuses = sorted(answer.status for answer in answers)
        assert statuses == [200] + [402] * (size.racers - 1), statuses
        rows = await system.sql(
            "SELECT count(*) AS n FROM payments.payments WHERE id = ANY ($1) AND status = 'succeeded'",
            payments,
        )
        succeeded.append(rows[0]["n"])
    report |= {
        "rounds": size.race_rounds,
        "racers": size.racers,
        "succeeded": succeeded,
    } | await system.zeros()
    assert succeeded == [1] * size.race_rounds


async def all_equal(payer: Customer, path: str, body: Any, key: str, count: int) -> Answer:
    """The one answer that all of `count` parallel requests under one key get in the end."""
    answers = await asyncio.gather(*(payer.api.until_final(path, body, key=key) for _ in range(count)))
    assert len({(answer.status, answer.raw) for answer in answers}) == 1, {a.raw for a in answers}
    return answers[0]


async def test_one_key_is_one_payment_confirmation_refund_and_endpoint(
    system: Platform, size: Sizes, report: dict[str, Any]
) -> None:
    dice = rng("keys", SEED)
    payers = []
    for number in range(size.race_rounds):
        payer, payee, stranger = await system.customers(3, dice)
        payers.append(payer)
        key = payer.api.key()
        amount = 1_000 + number
        body = {
            "amount": amount,
            "currency": "USD",
            "from_account": payer.account,
            "to_account": payee.account,
        }
        created = await all_equal(payer, "/v1/payments", body, key, size.same_key)
        assert created.status == 201, created
        payment = created.body["id"]
        confirm, refunds = f"/v1/payments/{payment}/confirm", f"/v1/payments/{payment}/refunds"
        confirmed = await all_equal(payer, confirm, {}, key, size.same_key)
        assert (confirmed.status, confirmed.body["status"]) == (200, "succeeded"), confirmed
        refunded = await all_equal(payer, refunds, {"amount": 400}, key, size.same_key)
        assert (refunded.status, refunded.body["status"]) == (201, "succeeded"), refunded

        hooks = "/v1/webhook_endpoints"
        hook = {"url": f"http://127.0.0.1:9/{number}", "enabled_events": ["payment.canceled"]}
        assert (await all_equal(payer, hooks, hook, key, size.same_key)).status == 201

        # The same key for something else is refused, and says nothing about what it was used for.
        for path, other in (
            ("/v1/payments", body | {"amount": amount + 1}),
            (refunds, {"amount": 401}),
            (hooks, hook | {"description": "another"}),
        ):
            answer = await payer.api.post(path, other, key=key)
            assert (answer.status, answer.body["code"]) == (422, "idempotency_key_reused"), answer
        # Another user's request under the same key is that user's own.
        for path in (confirm, refunds):
            answer = await stranger.api.post(path, {}, key=key)
            assert (answer.status, answer.body["code"]) == (404, "payment_not_found"), answer
        own = body | {"from_account": stranger.account}
        answer = await stranger.api.post("/v1/payments", own, key=key)
        assert answer.status == 201 and answer.body["id"] != payment, answer
        assert payer.account.encode() not in answer.raw and payer.id.encode() not in answer.raw
        answer = await stranger.api.post("/v1/payments", body, key=stranger.api.key())
        assert answer.status == 404, answer

    made = await system.sql(
        """SELECT (SELECT count(*) FROM payments.payments WHERE customer_id = ANY ($1)) AS payments,
                  (SELECT count(*) FROM payments.refunds WHERE customer_id = ANY ($1)) AS refunds,
                  (SELECT count(*) FROM accounts.transfers WHERE from_account = ANY ($2)) AS paid,
                  (SELECT count(*) FROM accounts.transfers
                   WHERE to_account = ANY ($2) AND kind = 'refund') AS back,
                  (SELECT count(*) FROM payments.webhook_endpoints WHERE customer_id = ANY ($1)) AS hooks""",
        [payer.id for payer in payers],
        [payer.account for payer in payers],
    )
    report |= {"rounds": size.race_rounds, "parallel": size.same_key, "made": tuple(made[0])}
    report |= await system.zeros()
    assert tuple(made[0]) == (size.race_rounds,) * 5
