"""One-time passwords over HTTP: what a code is good for, and how often it may be tried and sent."""

import asyncio
import json
from pathlib import Path

import pytest

from hack.dev.stack import Stack
from tests.support.internal_calls import ensure, eventually

from .conftest import Payment


async def test_a_code_is_sent_and_good_once(payment: Payment) -> None:
    sent = await payment.generate()
    assert sent.status_code == 200
    assert sent.json()["success"] is True
    (code,) = await payment.codes()
    assert await payment.verify(code) == {
        "valid": True,
        "reason": "ok",
        "tries_left": 4,
        "message": "OTP verified successfully",
    }
    again = await payment.verify(code)
    assert (again["valid"], again["reason"]) == (False, "not_found")
    assert await payment.events() == ["otp.sent", "otp.verified"]


async def test_asking_again_while_a_code_is_good_sends_nothing(payment: Payment) -> None:
    first = (await payment.generate()).json()
    again = await payment.generate()
    assert (again.status_code, again.json()["expires_at"]) == (200, first["expires_at"])
    assert len(await payment.codes()) == 1


@pytest.mark.parametrize("change", [{"amount": 1_200_001}, {"currency": "EUR"}, {"payee": "ACC003"}])
async def test_a_code_is_bound_to_amount_currency_and_payee(
    payment: Payment, change: dict[str, object]
) -> None:
    await payment.generate()
    (code,) = await payment.codes()
    assert (await payment.verify(code, **change))["reason"] == "invalid"
    assert (await payment.verify(code))["reason"] == "ok"


async def test_a_code_is_bound_to_payment_and_customer(payment: Payment) -> None:
    await payment.generate()
    (code,) = await payment.codes()
    for change in ({"payment_id": f"{payment.payment_id}x"}, {"customer_id": "cust_001"}):
        assert (await payment.verify(code, **change))["reason"] == "not_found"
    assert (await payment.generate(customer_id="cust_001")).status_code == 404
    other = Payment(payment.otp, payment.sandbox, payment.database, payment.customer_id)
    await other.generate()
    assert (await other.verify(code))["reason"] == "invalid"
    assert (await payment.verify(code))["reason"] == "ok"


async def test_a_thousand_parallel_guesses_are_compared_five_times_at_most(payment: Payment) -> None:
    await payment.generate()
    (code,) = await payment.codes()
    slots = asyncio.Semaphore(50)

    async def guess(number: int) -> str:
        async with slots:
            return str((await payment.verify(f"{(int(code) + 1 + number) % 10**6:06d}"))["reason"])

    reasons = await asyncio.gather(*(guess(number) for number in range(1000)))
    assert reasons.count("invalid") == 5
    assert reasons.count("exhausted") == 995
    # The database's own count of what was compared, not the service's word.
    evaluated = await payment.database.fetchval(
        "SELECT tries FROM otp.payments WHERE payment_id = $1", payment.payment_id
    )
    assert evaluated == 5
    assert await payment.events() == ["otp.sent", *["otp.failed"] * 5, "otp.exhausted"]
    right = await payment.verify(code)
    assert (right["valid"], right["reason"], right["tries_left"]) == (False, "exhausted", 0)
    # No new code, so no new tries either.
    for resend in (False, True):
        refused = await payment.generate(resend=resend)
        assert (refused.status_code, refused.json()["code"]) == (409, "otp_restart")


async def test_the_right_code_a_hundred_times_at_once_is_good_once(payment: Payment) -> None:
    await payment.generate()
    (code,) = await payment.codes()
    answers = await asyncio.gather(*(payment.verify(code) for _ in range(100)))
    assert [answer["valid"] for answer in answers].count(True) == 1


async def test_a_new_code_gives_no_new_tries(payment: Payment) -> None:
    await payment.generate()
    (first,) = await payment.codes()
    wrong = f"{(int(first) + 1) % 10**6:06d}"
    for left in (4, 3, 2):
        assert (await payment.verify(wrong))["tries_left"] == left
    await payment.age(31)
    assert (await payment.generate(resend=True)).status_code == 200
    second = (await payment.codes())[0]
    if first != second:
        assert (await payment.verify(first)) == {
            "valid": False,
            "reason": "invalid",
            "tries_left": 1,
            "message": "Invalid OTP",
        }
    assert (await payment.verify(second))["reason"] == "ok"


async def test_resends_are_limited(payment: Payment) -> None:
    assert (await payment.generate()).status_code == 200
    hasty = await payment.generate(resend=True)
    assert (hasty.status_code, hasty.json()["code"]) == (429, "otp_send_limit")
    assert 25 <= int(hasty.headers["retry-after"]) <= 30
    for _ in range(3):
        await payment.age(31)
        assert (await payment.generate(resend=True)).status_code == 200
    await payment.age(31)
    limited = await payment.generate(resend=True)
    assert limited.status_code == 429
    assert 450 <= int(limited.headers["retry-after"]) <= 510
    assert len(await payment.codes()) == 4
    await payment.age(480)
    assert (await payment.generate(resend=True)).status_code == 200


async def test_parallel_requests_send_one_code(payment: Payment) -> None:
    answers = await asyncio.gather(*(payment.generate() for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await payment.codes()) == 1


async def test_an_expired_code_costs_no_try_and_is_renewed(payment: Payment) -> None:
    await payment.generate()
    (code,) = await payment.codes()
    await payment.age(300)
    expired = await payment.verify(code)
    assert (expired["reason"], expired["tries_left"]) == ("expired", 5)
    assert (await payment.generate()).json()["message"] == "OTP sent successfully"
    assert (await payment.verify((await payment.codes())[0]))["reason"] == "ok"


async def test_what_cannot_be_sent_is_told_and_may_be_tried_again(payment: Payment, stack: Stack) -> None:
    stack.processes.kill("notification-service")
    try:
        for _ in range(3):
            refused = await payment.generate()
            assert (refused.status_code, refused.json()["retryable"]) == (503, True)
    finally:
        ensure(stack, "notification-service")
    assert (await payment.generate()).status_code == 200
    (code,) = await payment.codes()
    assert (await payment.verify(code))["reason"] == "ok"
    assert await payment.events() == ["otp.sent", "otp.verified"]


async def test_a_killed_service_forgets_no_try(payment: Payment, stack: Stack) -> None:
    await payment.generate()
    (code,) = await payment.codes()
    for _ in range(4):
        await payment.verify(f"{(int(code) + 1) % 10**6:06d}")
    stack.processes.kill("otp-service")
    ensure(stack, "otp-service")
    answer = await payment.verify(code)
    assert (answer["valid"], answer["tries_left"]) == (True, 0)


async def test_the_code_stands_nowhere_but_in_the_message(payment: Payment, log_folder: Path) -> None:
    await payment.generate()
    (code,) = await payment.codes()
    await payment.verify(code)
    rows = await payment.database.fetch(
        "SELECT to_jsonb(c)::text AS row FROM otp.challenges c WHERE payment_id = $1"
        " UNION ALL SELECT payload::text FROM otp.outbox WHERE key = $1"
        " UNION ALL SELECT to_jsonb(d)::text FROM notification.deliveries d WHERE customer_id = $2",
        payment.payment_id,
        payment.customer_id,
    )
    assert len(rows) >= 6
    assert not [row["row"] for row in rows if f'"{code}"' in row["row"] or f" {code} " in row["row"]]
    challenge = json.loads(rows[0]["row"])
    assert challenge["mac"] != challenge["binding"]
    for service in ("otp-service", "notification-service"):
        assert f"{code} is your" not in (log_folder / f"{service}.log").read_text()


async def test_old_challenges_are_forgotten_and_young_ones_are_not(payment: Payment, stack: Stack) -> None:
    young = Payment(payment.otp, payment.sandbox, payment.database, payment.customer_id)
    resent = Payment(payment.otp, payment.sandbox, payment.database, payment.customer_id)
    for each in (payment, young, resent):
        await each.generate()
    (code, *_) = await payment.codes()
    await payment.age(8 * 86_400)
    await payment.database.execute(
        "UPDATE otp.payments SET created_at = created_at - interval '8 days' WHERE payment_id = ANY($1)",
        [payment.payment_id, resent.payment_id],
    )
    stack.processes.kill("otp-service")
    ensure(stack, "otp-service")

    async def kept() -> set[str]:
        rows = await payment.database.fetch(
            "SELECT payment_id FROM otp.payments UNION SELECT payment_id FROM otp.challenges"
        )
        return {row["payment_id"] for row in rows}

    async def forgotten() -> bool:
        return payment.payment_id not in await kept()

    await eventually("the old challenge is deleted", forgotten)
    assert {young.payment_id, resent.payment_id} <= await kept()
    assert (await payment.verify(code))["reason"] == "not_found"


@pytest.mark.parametrize(
    "change",
    [{"amount": 0}, {"amount": "1"}, {"currency": "usd"}, {"payee": ""}, {"payment_id": "a\0b"}, {"otp": ""}],
)
async def test_bad_requests_are_told(payment: Payment, change: dict[str, object]) -> None:
    response = await payment.otp.post("/verify-otp", payment.bound(otp="123456") | change)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] in change
