"""Creating and confirming a payment between two accounts of the platform."""

import secrets

from tests.integration.confirm.conftest import System


async def test_a_low_risk_payment_is_created_confirmed_and_posted(system: System) -> None:
    payer, payee = await system.customer(100_000), await system.customer()
    payment = await system.create(payer, payee, 12_345, description="Rent", metadata={"order": "7"})
    assert payment["status"] == "requires_confirmation" and payment["object"] == "payment"
    assert payment["metadata"] == {"order": "7"} and payment["reference"] is None

    response = await system.confirm(payment, payer)

    assert response.status_code == 200, response.text
    done = response.json()
    assert done["status"] == "succeeded" and done["reference"].startswith("PAY")
    assert done["risk"] == {"level": "LOW", "score": 0, "reasons": []}
    assert await system.balance(payer) == (87_655, 0)
    assert await system.balance(payee) == (12_345, 0)
    assert await system.events(payment) == ["payment.created", "payment.processing", "payment.succeeded"]
    assert await system.events(payment, "notification-events") == ["payment.succeeded"]
    shown = await system.get(f"/v1/payments/{payment['id']}", actor=payer.id)
    assert shown.json() == done


async def test_a_replay_is_byte_for_byte_the_same(system: System) -> None:
    payer, payee = await system.customer(100_000), await system.customer()
    key = secrets.token_hex(8)
    payment = await system.create(payer, payee, 500)
    first = await system.confirm(payment, payer, key=key)
    again = await system.confirm(payment, payer, key=key)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    assert await system.postings(payment) == 1
