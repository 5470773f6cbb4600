"""Creating and confirming a payment between two accounts of the platform."""

import asyncio
import secrets
from collections import Counter

import msgspec

from payments.contracts.payment import PaymentData, PaymentInside
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


async def test_events_and_answers_have_the_declared_shape(system: System) -> None:
    payer, payee = await system.customer(100_000), await system.customer()
    payment = await system.create(payer, payee, 100)
    done = await system.confirm(payment, payer)
    msgspec.json.decode(done.content, type=PaymentData)
    rows = await system.database.fetch(
        "SELECT topic, payload FROM payments.outbox WHERE key = $1", payment["id"]
    )
    assert len(rows) == 4
    for topic, payload in rows:
        msgspec.json.decode(payload, type=PaymentInside if topic == "payment-events" else PaymentData)


async def test_the_originals_route_answers_as_the_original_did(system: System) -> None:
    payer, payee = await system.customer(200_000), await system.customer()
    payment = await system.create(payer, payee, 100_000)
    body = (
        f'{{"transaction_id": "{payment["id"]}", "customer_id": "{payer.id}", "amount": 1000.00, '
        f'"from_account": "{payer.account}", "to_account": "{payee.account}", "authenticated_user": "x"}}'
    ).encode()
    key = secrets.token_hex(8)
    response = await system.post("/payment/confirm", body, actor=payer.id, key=key)
    assert response.status_code == 200, response.text
    assert b'"amount":1000.00' in response.content
    answer = response.json()
    assert set(answer) == {"status", "transaction_id", "reference", "amount", "confirmed_at"}
    assert (answer["status"], answer["transaction_id"]) == ("SUCCESS", payment["id"])
    assert (await system.post("/payment/confirm", body, actor=payer.id, key=key)).content == response.content
    again = await system.post("/payment/confirm", body, actor=payer.id)
    assert again.status_code == 409
    assert (again.json()["error"], again.json()["payment"]["id"]) == ("ALREADY_SUCCEEDED", payment["id"])
    assert await system.postings(payment) == 1


async def test_what_contradicts_the_stored_payment_is_refused(system: System) -> None:
    payer, payee = await system.customer(200_000), await system.customer()
    payment = await system.create(payer, payee, 100_000)
    good = {
        "transaction_id": payment["id"],
        "customer_id": payer.id,
        "amount": "1000.00",
        "from_account": payer.account,
        "to_account": payee.account,
    }
    for field, value in (
        ("amount", "1000.01"),
        ("amount", "1000.001"),
        ("amount", "100000"),
        ("from_account", payee.account),
        ("to_account", payer.account),
        ("customer_id", payee.id),
    ):
        response = await system.post("/payment/confirm", good | {field: value}, actor=payer.id)
        assert (response.status_code, response.json()["code"]) == (422, "payment_mismatch"), field
        assert [error["field"] for error in response.json()["errors"]] == [field]
    assert await system.status(payment) == "requires_confirmation"
    keys = await system.database.fetchval(
        "SELECT count(*) FROM payments.idempotency_keys WHERE subject = $1 AND route LIKE '%confirm'",
        payment["id"],
    )
    assert keys == 0


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


async def test_a_hundred_parallel_requests_with_one_key_are_one_payment(system: System) -> None:
    payer, payee = await system.customer(100_000), await system.customer()
    payment = await system.create(payer, payee, 500)
    key = secrets.token_hex(8)
    responses = await asyncio.gather(*(system.confirm(payment, payer, key=key) for _ in range(100)))
    codes = Counter(response.status_code for response in responses)
    assert set(codes) <= {200, 409}, codes
    for response in responses:
        if response.status_code == 409:
            assert response.json()["code"] == "idempotency_key_in_flight"
            assert response.headers["retry-after"] == "1"
    replay = await system.confirm(payment, payer, key=key)
    assert {r.content for r in responses if r.status_code == 200} == {replay.content}
    assert await system.postings(payment) == 1
    assert await system.balance(payer) == (99_500, 0)


async def test_fifty_parallel_requests_with_different_keys_succeed_once(system: System) -> None:
    payer, payee = await system.customer(100_000), await system.customer()
    payment = await system.create(payer, payee, 500)
    responses = await asyncio.gather(*(system.confirm(payment, payer) for _ in range(50)))
    codes = Counter(response.status_code for response in responses)
    assert codes == {200: 1, 409: 49}
    assert {r.json()["code"] for r in responses if r.status_code == 409} <= {
        "illegal_state",
        "already_succeeded",
    }
    assert await system.postings(payment) == 1


async def test_money_for_one_is_spent_once(system: System) -> None:
    payer, payee = await system.customer(500), await system.customer()
    payments = [await system.create(payer, payee, 500) for _ in range(10)]
    responses = await asyncio.gather(*(system.confirm(payment, payer) for payment in payments))
    assert Counter(response.status_code for response in responses)[200] == 1
    assert await system.balance(payer) == (0, 0)
    assert await system.balance(payee) == (500, 0)


async def test_parallel_creation_with_one_key_creates_one(system: System) -> None:
    payer, payee = await system.customer(100), await system.customer()
    body = {"amount": 5, "currency": "USD", "from_account": payer.account, "to_account": payee.account}
    key = secrets.token_hex(8)
    responses = await asyncio.gather(
        *(system.post("/v1/payments", body, actor=payer.id, key=key) for _ in range(30))
    )
    assert {(response.status_code, response.content) for response in responses} == {
        (201, responses[0].content)
    }
    assert {r.headers["location"] for r in responses} == {f"/v1/payments/{responses[0].json()['id']}"}
    other = await system.post("/v1/payments", body | {"amount": 6}, actor=payer.id, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    count = "SELECT count(*) FROM payments.payments WHERE customer_id = $1"
    assert await system.database.fetchval(count, payer.id) == 1


async def test_a_key_belongs_to_its_customer_and_route(system: System) -> None:
    payer, payee = await system.customer(10_000), await system.customer(10_000)
    key = secrets.token_hex(8)
    mine, theirs = await system.create(payer, payee, 5), await system.create(payee, payer, 7)
    first = await system.confirm(mine, payer, key=key)
    second = await system.confirm(theirs, payee, key=key)
    assert first.json()["id"] != second.json()["id"]
    reused = await system.confirm(await system.create(payer, payee, 5), payer, key=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    canceled = await system.post(
        f"/v1/payments/{(await system.create(payer, payee, 5))['id']}/cancel", actor=payer.id, key=key
    )
    assert canceled.status_code == 200


async def test_anothers_payment_is_not_found(system: System) -> None:
    payer, payee = await system.customer(10_000), await system.customer()
    payment = await system.create(payer, payee, 5)
    for path in ("confirm", "cancel", "refunds", "otp"):
        foreign = await system.post(f"/v1/payments/{payment['id']}/{path}", actor=payee.id)
        missing = await system.post(f"/v1/payments/no-such/{path}", actor=payee.id)
        assert foreign.status_code == missing.status_code == 404, path
        assert foreign.json()["code"] == missing.json()["code"] == "payment_not_found"
    for path in ("", "/events"):
        assert (await system.get(f"/v1/payments/{payment['id']}{path}", actor=payee.id)).status_code == 404
    body = {"transaction_id": payment["id"], "customer_id": payee.id, "amount": "0.05"}
    original = await system.post("/payment/confirm", body, actor=payee.id)
    assert (original.status_code, original.json()["error"]) == (404, "PAYMENT_NOT_FOUND")
    assert await system.status(payment) == "requires_confirmation"


async def test_without_key_or_actor_nothing_happens(system: System) -> None:
    payer, payee = await system.customer(10_000), await system.customer()
    payment = await system.create(payer, payee, 5)
    path = f"/v1/payments/{payment['id']}/confirm"
    missing = await system.post(path, actor=payer.id, key=None)
    assert (missing.status_code, missing.json()["error"]) == (400, "MISSING_IDEMPOTENCY_KEY")
    assert (await system.post(path, actor=payer.id, key="k" * 256)).status_code == 400
    assert (await system.post(path, actor=payer.id, role="auditor")).status_code == 403
    assert (await system.post(path, actor=payer.id, role="operator")).status_code == 403
    anonymous = await system.http.post(path, json={}, headers={"Idempotency-Key": "k"})
    assert anonymous.status_code == 401
    fields = await system.post("/payment/confirm", {"amount": 1}, actor=payer.id)
    assert fields.status_code == 400
    assert fields.json()["missing_fields"] == ["transaction_id", "customer_id"]
    assert await system.status(payment) == "requires_confirmation"


async def test_without_money_the_payment_can_be_tried_again(system: System) -> None:
    payer, payee = await system.customer(400), await system.customer(600)
    payment = await system.create(payer, payee, 500)
    key = secrets.token_hex(8)
    poor = await system.confirm(payment, payer, key=key)
    assert (poor.status_code, poor.json()["code"]) == (402, "insufficient_funds")
    shown = (await system.get(f"/v1/payments/{payment['id']}", actor=payer.id)).json()
    assert shown["status"] == "requires_confirmation"
    assert shown["last_error"]["code"] == "insufficient_funds"
    gift = await system.create(payee, payer, 600)
    assert (await system.confirm(gift, payee)).status_code == 200
    replayed = await system.confirm(payment, payer, key=key)
    assert (replayed.status_code, replayed.content) == (402, poor.content)
    rich = await system.confirm(payment, payer)
    assert rich.status_code == 200, rich.text
    assert rich.json()["last_error"] is None
    assert await system.balance(payer) == (500, 0)


async def test_accounts_are_checked_at_creation(system: System) -> None:
    payer, payee, euros = (
        await system.customer(100),
        await system.customer(100),
        await system.customer(currency="EUR"),
    )
    good = {"amount": 5, "currency": "USD", "from_account": payer.account, "to_account": payee.account}
    for change, status, code in (
        ({"from_account": payee.account, "to_account": payer.account}, 404, "account_not_found"),
        ({"to_account": "NOSUCH"}, 404, "account_not_found"),
        ({"to_account": euros.account}, 422, "currency_mismatch"),
        ({"to_account": payer.account}, 422, "self_transfer"),
        ({"currency": "EUR"}, 422, "currency_mismatch"),
    ):
        response = await system.post("/v1/payments", good | change, actor=payer.id)
        assert (response.status_code, response.json()["code"]) == (status, code), change
        assert response.json()["errors"], change


async def test_a_dependency_that_is_down_has_no_effect_and_frees_the_key(system: System) -> None:
    payer, payee = await system.customer(10_000), await system.customer()
    payment = await system.create(payer, payee, 500)
    key = secrets.token_hex(8)
    system.risk.fail("/assess-risk", "refused_500")
    down = await system.confirm(payment, payer, key=key)
    assert (down.status_code, down.json()["code"]) == (503, "service_unavailable")
    assert down.headers["retry-after"]
    assert await system.status(payment) == "requires_confirmation"
    assert (await system.confirm(payment, payer, key=key)).status_code == 200
    assert await system.postings(payment) == 1


async def test_canceling(system: System) -> None:
    payer, payee = await system.customer(10_000), await system.customer()
    payment = await system.create(payer, payee, 500)
    key = secrets.token_hex(8)
    path = f"/v1/payments/{payment['id']}/cancel"
    first = await system.post(path, actor=payer.id, key=key)
    assert (first.status_code, first.json()["status"]) == (200, "canceled")
    assert (await system.post(path, actor=payer.id, key=key)).content == first.content
    late = await system.confirm(payment, payer)
    assert (late.status_code, late.json()["code"]) == (409, "illegal_state")
    assert (await system.post(path, actor=payer.id)).status_code == 409
    assert (await system.events(payment))[-1] == "payment.canceled"
