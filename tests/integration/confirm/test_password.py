"""High risk: the customer confirms by a one-time password."""

import asyncio
import secrets
from collections import Counter

from tests.integration.confirm.conftest import System

HIGH = 1_500_000  # 15,000.00: 30 + 20 points


def wrong(password: str) -> str:
    return f"{(int(password) + 1) % 1_000_000:06d}"


async def test_the_same_key_goes_on_with_the_password(system: System) -> None:
    payer, payee = await system.customer(2 * HIGH), await system.customer()
    payment = await system.create(payer, payee, HIGH)
    key = secrets.token_hex(8)

    asked = await system.confirm(payment, payer, key=key)
    assert asked.status_code == 200, asked.text
    assert asked.json()["status"] == "requires_action"
    assert asked.json()["next_action"]["type"] == "otp"
    assert asked.json()["risk"]["level"] == "HIGH"
    assert await system.postings(payment) == 0

    password = await system.password(payer)
    refused = await system.confirm(payment, payer, key=key, otp=wrong(password))
    assert (refused.status_code, refused.json()["code"]) == (422, "otp_invalid")
    assert await system.status(payment) == "requires_action"

    done = await system.confirm(payment, payer, key=key, otp=password)
    assert (done.status_code, done.json()["status"]) == (200, "succeeded"), done.text
    assert (await system.confirm(payment, payer, key=key, otp=password)).content == done.content
    assert (await system.confirm(payment, payer, key=key)).content == done.content
    assert await system.postings(payment) == 1
    assert await system.balance(payer) == (HIGH, 0)
    rows = await system.database.fetch(
        "SELECT payload::text FROM payments.outbox WHERE key = $1", payment["id"]
    )
    assert not [row for row in rows if password in row[0]]


async def test_the_originals_route_asks_in_its_own_words(system: System) -> None:
    payer, payee = await system.customer(2 * HIGH), await system.customer()
    payment = await system.create(payer, payee, HIGH)
    body = {"transaction_id": payment["id"], "customer_id": payer.id, "amount": "15000.00"}
    key = secrets.token_hex(8)
    asked = await system.post("/payment/confirm", body, actor=payer.id, key=key)
    assert asked.status_code == 200
    assert asked.json() == {
        "status": "OTP_REQUIRED",
        "message": "OTP verification required",
        "transaction_id": payment["id"],
    }
    password = await system.password(payer)
    malformed = await system.post("/payment/confirm", body | {"otp": "12"}, actor=payer.id, key=key)
    refused = await system.post("/payment/confirm", body | {"otp": wrong(password)}, actor=payer.id, key=key)
    for response in (malformed, refused):
        assert (response.status_code, response.json()["error"]) == (400, "INVALID_OTP")
    done = await system.post("/payment/confirm", body | {"otp": password}, actor=payer.id, key=key)
    assert (done.status_code, done.json()["status"]) == (200, "SUCCESS"), done.text


async def test_five_wrong_passwords_end_it(system: System) -> None:
    payer, payee = await system.customer(2 * HIGH), await system.customer()
    payment = await system.create(payer, payee, HIGH)
    await system.confirm(payment, payer)
    password = await system.password(payer)
    codes = [(await system.confirm(payment, payer, otp=wrong(password))).json()["code"] for _ in range(6)]
    assert codes[:4] == ["otp_invalid"] * 4
    assert set(codes[4:]) == {"otp_restart"}
    right = await system.confirm(payment, payer, otp=password)
    assert (right.status_code, right.json()["code"]) == (409, "otp_restart")
    assert await system.postings(payment) == 0
    assert (await system.post(f"/v1/payments/{payment['id']}/cancel", actor=payer.id)).status_code == 200


async def test_the_right_password_in_parallel_pays_once(system: System) -> None:
    payer, payee = await system.customer(2 * HIGH), await system.customer()
    payment = await system.create(payer, payee, HIGH)
    await system.confirm(payment, payer)
    password = await system.password(payer)
    responses = await asyncio.gather(*(system.confirm(payment, payer, otp=password) for _ in range(20)))
    assert Counter(r.status_code for r in responses) == {200: 1, 409: 19}
    assert await system.postings(payment) == 1


async def test_a_password_can_be_sent_again(system: System) -> None:
    payer, payee = await system.customer(2 * HIGH), await system.customer()
    payment = await system.create(payer, payee, HIGH)
    path = f"/v1/payments/{payment['id']}/otp"
    early = await system.post(path, actor=payer.id)
    assert (early.status_code, early.json()["code"]) == (409, "illegal_state")
    await system.confirm(payment, payer)
    key = secrets.token_hex(8)
    hasty = await system.post(path, actor=payer.id, key=key)
    assert (hasty.status_code, hasty.json()["code"]) == (429, "otp_send_limit")
    assert 0 < int(hasty.headers["retry-after"]) <= 30
    await system.database.execute(
        "UPDATE otp.challenges SET created_at = created_at - interval '1 minute' WHERE payment_id = $1",
        payment["id"],
    )
    sent = await system.post(path, actor=payer.id, key=key)
    assert sent.status_code == 200, sent.text
    assert (await system.post(path, actor=payer.id, key=key)).content == sent.content
    done = await system.confirm(payment, payer, otp=await system.password(payer))
    assert done.json()["status"] == "succeeded"


async def test_an_otp_service_that_is_down_leaves_the_payment_as_it_was(system: System) -> None:
    payer, payee = await system.customer(2 * HIGH), await system.customer()
    payment = await system.create(payer, payee, HIGH)
    system.otp.fail("/generate-otp", "refused_500")
    assert (await system.confirm(payment, payer)).status_code == 503
    assert await system.status(payment) == "requires_confirmation"
    assert (await system.confirm(payment, payer)).json()["status"] == "requires_action"
    password = await system.password(payer)
    system.otp.fail("/verify-otp", "refused_500")
    assert (await system.confirm(payment, payer, otp=password)).status_code == 503
    assert await system.status(payment) == "requires_action"
    assert (await system.confirm(payment, payer, otp=password)).json()["status"] == "succeeded"
