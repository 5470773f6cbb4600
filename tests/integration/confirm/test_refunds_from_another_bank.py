"""Refunds of payments to another bank: the bank is asked first, under one reference, until it answers."""

import asyncio
import secrets
import time
from collections import Counter
from typing import Any

import httpx
import msgspec
import pytest

from payments.contracts.payment import RefundData
from tests.integration.confirm.conftest import Customer, System
from tests.integration.confirm.test_refunds import refund

PAID = 20_000
FEE = 250
LEFT = 100_000 - PAID - FEE


async def paid(system: System) -> tuple[Customer, dict[str, Any]]:
    payer = await system.customer(100_000)
    payment = await system.abroad(payer, PAID)
    assert (await system.confirm(payment, payer)).status_code == 200
    return payer, payment


async def fault(system: System, payment: dict[str, Any], name: str) -> None:
    """Let the bank show a fault to the next return of this payment: no other test asks for one meanwhile."""
    url = system.stack.url("partner-bank-api")
    asked = await system.http.post(f"{url}/sandbox/faults", json={"fault": name, "order": "return"})
    assert asked.status_code == 201, payment


async def returned(system: System, payment: dict[str, Any]) -> list[int]:
    """Amounts that the bank's own book has returned for the payment."""
    rows = await system.database.fetch(
        """SELECT amount_minor FROM bank.returns WHERE error_code IS NULL AND original_reference =
           (SELECT bank_reference FROM payments.payments WHERE id = $1) ORDER BY received_at""",
        payment["id"],
    )
    return [row[0] for row in rows]


async def posted(system: System, payment: dict[str, Any]) -> list[int]:
    """Amounts that the ledger has given back from the settlement account."""
    rows = await system.database.fetch(
        """SELECT e.amount_minor FROM accounts.transfers t JOIN accounts.entries e ON e.transfer_id = t.id
           WHERE t.payment_id = $1 AND t.kind = 'refund' AND e.account_number = t.to_account
               AND t.from_account = 'internal.settlement.USD' AND t.bank_reference LIKE 'RET%'
           ORDER BY t.posted_at""",
        payment["id"],
    )
    return [row[0] for row in rows]


async def settled(system: System, payer: Customer, place: str) -> dict[str, Any]:
    """The refund, once it is no longer pending."""
    end = time.monotonic() + 25
    while True:
        shown: dict[str, Any] = (await system.get(place, actor=payer.id)).json()
        if shown["status"] != "pending":
            return shown
        assert time.monotonic() < end, shown
        await asyncio.sleep(0.1)


async def test_parts_and_the_rest_without_the_fee(system: System) -> None:
    payer, payment = await paid(system)
    key = secrets.token_hex(8)
    part = await refund(system, payment, payer.id, {"amount": 5_000, "reason": "late"}, key=key)
    assert part.status_code == 201, part.text
    msgspec.json.decode(part.content, type=RefundData)
    assert (part.json()["status"], part.json()["amount"]) == ("succeeded", 5_000)
    assert await system.balance(payer) == (LEFT + 5_000, 0)
    replay = await refund(system, payment, payer.id, {"amount": 5_000, "reason": "late"}, key=key)
    assert (replay.status_code, replay.content) == (201, part.content)
    more = await refund(system, payment, payer.id, {"amount": 15_001})
    assert (more.status_code, more.json()["code"]) == (409, "refund_exceeds_payment")
    rest = await refund(system, payment, payer.id)
    assert (rest.status_code, rest.json()["amount"]) == (201, 15_000)
    assert (await refund(system, payment, payer.id)).status_code == 409
    assert await returned(system, payment) == await posted(system, payment) == [5_000, 15_000]
    assert await system.balance(payer) == (100_000 - FEE, 0)
    now = (await system.get(f"/v1/payments/{payment['id']}", actor=payer.id)).json()
    assert (now["status"], now["amount_refunded"]) == ("succeeded", PAID)
    assert (await system.events(payment))[-4:] == ["refund.succeeded", "payment.refunded"] * 2


async def test_refunds_at_once_never_exceed_the_payment(system: System) -> None:
    payer, payment = await paid(system)
    answers = await asyncio.gather(*(refund(system, payment, payer.id, {"amount": 6_000}) for _ in range(12)))
    assert Counter(answer.status_code for answer in answers) == {201: 3, 409: 9}
    assert await returned(system, payment) == await posted(system, payment) == [6_000] * 3
    assert await system.balance(payer) == (LEFT + 18_000, 0)


async def test_what_the_bank_rejects_fails_and_leaves_the_amount_to_another_try(system: System) -> None:
    payer, payment = await paid(system)
    await fault(system, payment, "reject")
    key = secrets.token_hex(8)
    failed = await refund(system, payment, payer.id, {"amount": PAID}, key=key)
    assert (failed.status_code, failed.json()["code"]) == (402, "bank_declined"), failed.text
    assert failed.json()["bank_error_code"] == "DECLINED"
    assert (await refund(system, payment, payer.id, {"amount": PAID}, key=key)).content == failed.content
    assert "refund.failed" in await system.events(payment)
    assert await posted(system, payment) == []
    assert await system.balance(payer) == (LEFT, 0)
    assert (await refund(system, payment, payer.id)).status_code == 201
    assert await system.balance(payer) == (LEFT + PAID, 0)


@pytest.mark.parametrize("how", ["lost", "answer_lost", "500", "refused_500"])
async def test_unknown_outcomes_are_asked_for_until_they_are_known(system: System, how: str) -> None:
    payer, payment = await paid(system)
    system.bank.fail("/process-return", how, times=2)  # a broken connection is tried twice
    key = secrets.token_hex(8)
    unknown = await refund(system, payment, payer.id, {"amount": 7_000}, key=key)
    assert unknown.status_code == 202, unknown.text
    assert unknown.json()["status"] == "pending"
    done = await settled(system, payer, unknown.headers["location"])
    assert done["status"] == "succeeded"
    again = await refund(system, payment, payer.id, {"amount": 7_000}, key=key)
    assert (again.status_code, again.json()) == (201, done)
    assert await returned(system, payment) == await posted(system, payment) == [7_000]
    assert await system.balance(payer) == (LEFT + 7_000, 0)


async def test_a_rejection_whose_answer_was_lost_fails_the_refund(system: System) -> None:
    payer, payment = await paid(system)
    await fault(system, payment, "reject")
    system.bank.fail("/process-return", "500")
    unknown = await refund(system, payment, payer.id)
    assert unknown.status_code == 202, unknown.text
    assert (await settled(system, payer, unknown.headers["location"]))["status"] == "failed"
    assert await system.balance(payer) == (LEFT, 0)


async def test_nothing_is_posted_while_the_bank_is_silent(system: System) -> None:
    payer, payment = await paid(system)
    system.bank.fail("/", "refused_500", times=10_000)
    unknown = await refund(system, payment, payer.id)
    assert unknown.status_code == 202
    for _ in range(10):
        await asyncio.sleep(0.3)
        assert (await system.get(unknown.headers["location"], actor=payer.id)).json()["status"] == "pending"
        assert await posted(system, payment) == []
    assert (await refund(system, payment, payer.id, {"amount": 1})).status_code == 409  # all is spoken for
    system.bank.heal()
    assert (await settled(system, payer, unknown.headers["location"]))["status"] == "succeeded"
    assert await returned(system, payment) == await posted(system, payment) == [PAID]


async def test_the_ledger_away_after_the_bank_has_returned(system: System) -> None:
    payer, payment = await paid(system)
    for how in ("refused_500", "answer_lost"):
        system.account.fail("/holds/", how, times=2)
        unknown = await refund(system, payment, payer.id, {"amount": 3_000})
        assert unknown.status_code == 202, how
        system.account.heal()
        assert (await settled(system, payer, unknown.headers["location"]))["status"] == "succeeded"
    assert await returned(system, payment) == await posted(system, payment) == [3_000] * 2
    assert await system.balance(payer) == (LEFT + 6_000, 0)


async def test_a_crash_between_bank_and_ledger_loses_nothing(system: System) -> None:
    payer, payment = await paid(system)
    system.bank.fail("/process-return", "held")
    key = secrets.token_hex(8)
    waiting = asyncio.create_task(refund(system, payment, payer.id, {"amount": 9_000}, key=key))
    await asyncio.wait_for(system.bank.reached.wait(), 10)
    system.stack.processes.kill("confirm-service")
    with pytest.raises(httpx.TransportError):
        await waiting
    system.bank.heal()
    assert await returned(system, payment) == [9_000]
    assert await posted(system, payment) == []
    system.restart()
    end = time.monotonic() + 25
    while (again := await refund(system, payment, payer.id, {"amount": 9_000}, key=key)).status_code != 201:
        assert again.status_code == 409 and time.monotonic() < end, again.text
        await asyncio.sleep(0.2)
    assert again.json()["status"] == "succeeded"
    assert await returned(system, payment) == await posted(system, payment) == [9_000]
    assert await system.balance(payer) == (LEFT + 9_000, 0)
