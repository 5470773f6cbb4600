"""Refunds: in full, in part, several, in parallel; never more than was paid."""

import asyncio
import secrets
from collections import Counter
from typing import Any

import httpx
import msgspec

from payments.contracts.payment import RefundData
from tests.integration.confirm.conftest import Customer, System


async def paid(system: System, amount: int) -> tuple[Customer, Customer, dict[str, Any]]:
    payer, payee = await system.customer(amount), await system.customer()
    payment = await system.create(payer, payee, amount)
    assert (await system.confirm(payment, payer)).status_code == 200
    return payer, payee, payment


async def refund(
    system: System, payment: dict[str, Any], actor: str, body: Any = None, **more: str
) -> httpx.Response:
    return await system.post(f"/v1/payments/{payment['id']}/refunds", body, actor=actor, **more)


async def test_parts_and_the_rest(system: System) -> None:
    payer, payee, payment = await paid(system, 1_000)
    part = await refund(system, payment, payer.id, {"amount": 300, "reason": "damaged"})
    assert part.status_code == 201, part.text
    msgspec.json.decode(part.content, type=RefundData)
    assert (part.json()["status"], part.json()["amount"]) == ("succeeded", 300)
    assert await system.balance(payer) == (300, 0)
    shown = await system.get(f"/v1/refunds/{part.json()['id']}", actor=payer.id)
    assert shown.content == part.content
    assert (await system.get(f"/v1/refunds/{part.json()['id']}", actor=payee.id)).status_code == 404
    more = await refund(system, payment, payer.id, {"amount": 701})
    assert (more.status_code, more.json()["code"]) == (409, "refund_exceeds_payment")
    rest = await refund(system, payment, payer.id)
    assert (rest.status_code, rest.json()["amount"]) == (201, 700)
    assert await system.balance(payer) == (1_000, 0) and await system.balance(payee) == (0, 0)
    assert (await refund(system, payment, payer.id)).status_code == 409
    now = (await system.get(f"/v1/payments/{payment['id']}", actor=payer.id)).json()
    assert (now["status"], now["amount_refunded"]) == ("succeeded", 1_000)
    assert (await system.events(payment))[3:] == ["refund.succeeded", "payment.refunded"] * 2
    assert await system.events(payment, "notification-events") == [
        "payment.succeeded",
        "refund.succeeded",
        "refund.succeeded",
    ]


async def test_a_replay_refunds_nothing_more(system: System) -> None:
    payer, _, payment = await paid(system, 1_000)
    key = secrets.token_hex(8)
    first = await refund(system, payment, payer.id, {"amount": 400}, key=key)
    again = await refund(system, payment, payer.id, {"amount": 400}, key=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["location"] == f"/v1/refunds/{first.json()['id']}"
    reused = await refund(system, payment, payer.id, {"amount": 401}, key=key)
    assert reused.status_code == 422
    assert await system.balance(payer) == (400, 0)


async def test_parallel_refunds_never_exceed_the_payment(system: System) -> None:
    payer, payee, payment = await paid(system, 1_000)
    responses = await asyncio.gather(*(refund(system, payment, payer.id, {"amount": 300}) for _ in range(20)))
    assert Counter(response.status_code for response in responses) == {201: 3, 409: 17}
    assert await system.balance(payer) == (900, 0) and await system.balance(payee) == (100, 0)


async def test_parallel_refunds_with_one_key_are_one(system: System) -> None:
    payer, _, payment = await paid(system, 1_000)
    key = secrets.token_hex(8)
    responses = await asyncio.gather(
        *(refund(system, payment, payer.id, {"amount": 300}, key=key) for _ in range(20))
    )
    assert {r.status_code for r in responses} <= {201, 409}
    assert len({r.content for r in responses if r.status_code == 201}) == 1
    assert await system.balance(payer) == (300, 0)


async def test_only_what_succeeded_is_refunded(system: System) -> None:
    payer, payee = await system.customer(1_000), await system.customer()
    payment = await system.create(payer, payee, 1_000)
    early = await refund(system, payment, payer.id)
    assert (early.status_code, early.json()["code"]) == (409, "illegal_state")
    for body in ({"amount": 0}, {"amount": -1}, {"amount": 1.5}, {"amonut": 1}):
        assert (await refund(system, payment, payer.id, body)).status_code == 422, body


async def test_a_payee_without_money_fails_the_refund_only(system: System) -> None:
    payer, payee, payment = await paid(system, 1_000)
    third = await system.customer()
    gone = await system.create(payee, third, 900)
    assert (await system.confirm(gone, payee)).status_code == 200
    key = secrets.token_hex(8)
    failed = await refund(system, payment, payer.id, {"amount": 500}, key=key)
    assert (failed.status_code, failed.json()["code"]) == (402, "insufficient_funds")
    assert (await refund(system, payment, payer.id, {"amount": 500}, key=key)).content == failed.content
    assert (await refund(system, payment, payer.id, {"amount": 100})).status_code == 201
    assert "refund.failed" in await system.events(payment)


async def test_a_refund_whose_answer_was_lost_is_finished(system: System) -> None:
    payer, _, payment = await paid(system, 1_000)
    system.account.fail("/transfers", "answer_lost", times=2)
    key = secrets.token_hex(8)
    unknown = await refund(system, payment, payer.id, {"amount": 600}, key=key)
    assert unknown.status_code == 202, unknown.text
    place = unknown.headers["location"]
    for _ in range(100):
        shown = (await system.get(place, actor=payer.id)).json()
        if shown["status"] == "succeeded":
            break
        await asyncio.sleep(0.1)
    assert shown["status"] == "succeeded"
    done = await refund(system, payment, payer.id, {"amount": 600}, key=key)
    assert (done.status_code, done.json()) == (201, shown)
    assert await system.balance(payer) == (600, 0)


async def test_an_operator_may_refund_and_a_payee_may_not(system: System) -> None:
    payer, payee, payment = await paid(system, 1_000)
    assert (await refund(system, payment, payee.id)).status_code == 404
    assert (await refund(system, payment, "ana", role="auditor")).status_code == 403
    done = await refund(system, payment, "olga", {"amount": 10}, role="operator")
    assert done.status_code == 201, done.text
    assert await system.balance(payer) == (10, 0)
