"""From an event to the merchant's server: what is sent, how often, and what is written down."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from standardwebhooks import WebhookVerificationError

from payments.contracts.payment import PaymentData, RefundData
from tests.integration.webhooks.conftest import RETRIES, TIMEOUT_SECONDS, System
from tests.integration.webhooks.receiver import LOST

MOST_ATTEMPTS = len(RETRIES.split(",")) + 1


async def test_a_payment_is_told_from_its_creation_to_its_refund(system: System) -> None:
    merchant = await system.merchant()
    endpoint = await system.endpoint(merchant)
    payment = await system.payment(merchant, 700)
    path = f"/v1/payments/{payment['id']}"
    confirmed = await system.call("POST", f"{path}/confirm", {}, actor=merchant.id)
    assert confirmed.status_code == 200, confirmed.text
    refund = await system.call("POST", f"{path}/refunds", {"amount": 200}, actor=merchant.id)
    assert refund.status_code == 201, refund.text
    wanted = await system.outbox(merchant)
    await system.receiver.until_events(merchant.path, wanted)
    came = {one.event["type"]: one for one in system.receiver.at(merchant.path)}
    assert set(came) == {
        "payment.created",
        "payment.processing",
        "payment.succeeded",
        "refund.succeeded",
        "payment.refunded",
    }
    for kind, one in came.items():
        one.verify(endpoint["secret"])
        assert one.event["id"] == one.headers["webhook-id"]
        assert set(one.event) == {"id", "object", "type", "created", "data"}
        # Exactly the public document: unknown members are refused by these types.
        document = msgspec.json.encode(one.event["data"]["object"])
        shape = RefundData if kind.startswith("refund.") else PaymentData
        msgspec.json.decode(document, type=shape)
        assert one.event["data"]["object"]["object"] == kind.partition(".")[0]
        with pytest.raises(WebhookVerificationError):
            one.verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert came["payment.succeeded"].event["data"]["object"] == confirmed.json()
    assert came["refund.succeeded"].event["data"]["object"] == refund.json()
    log = await system.settled(endpoint, merchant, "delivered", len(wanted))
    assert (
        sorted(one["event"] for one in log) == sorted(wanted) == sorted(system.receiver.events(merchant.path))
    )
    assert {(one["attempts"], one["last_attempt"]["status"]) for one in log} == {(1, 200)}
    listed = (await system.call("GET", "/v1/events", actor=merchant.id)).json()["data"]
    assert sorted(map(str, listed)) == sorted(str(one.event) for one in came.values())


async def test_only_what_was_subscribed_to_is_sent_and_only_from_then_on(system: System) -> None:
    merchant, other = await system.merchant(), await system.merchant()
    await system.payment(merchant)
    await system.endpoint(other)
    chosen = await system.endpoint(merchant, "payment.canceled", path=f"{merchant.path}/canceled")
    every = await system.endpoint(merchant, "payment.*", path=f"{merchant.path}/all")
    await system.endpoint(merchant, "refund.*", path=f"{merchant.path}/refunds")
    payment = await system.payment(merchant)
    await system.call("POST", f"/v1/payments/{payment['id']}/cancel", {}, actor=merchant.id)
    await system.settled(every, merchant, "delivered", 2)
    await system.settled(chosen, merchant, "delivered")
    types = [one.event["type"] for one in system.receiver.at(f"{merchant.path}/all")]
    assert sorted(types) == ["payment.canceled", "payment.created"]
    (single,) = system.receiver.at(f"{merchant.path}/canceled")
    assert single.event["data"]["object"]["id"] == payment["id"]
    assert not system.receiver.at(f"{merchant.path}/refunds")
    assert not system.receiver.at(other.path)


async def test_what_fails_is_sent_again_under_the_same_id(system: System) -> None:
    await asyncio.gather(*(_sent_again(system, trouble) for trouble in (500, 429, 302, 404, LOST)))


async def _sent_again(system: System, trouble: int) -> None:
    merchant = await system.merchant()
    endpoint = await system.endpoint(merchant)
    system.receiver.answers[merchant.path] += [trouble, trouble]
    await system.payment(merchant)
    first, second, third = await system.receiver.until(merchant.path, 3)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == third.headers["webhook-id"]
    assert first.body == third.body
    assert second.at - first.at >= 0.2 * 0.8 and third.at - second.at >= 0.4 * 0.8
    (delivery,) = await system.settled(endpoint, merchant, "delivered")
    assert (delivery["attempts"], delivery["last_attempt"]["status"]) == (3, 200)
    third.verify(endpoint["secret"])
    shown = await system.call("GET", f"/v1/webhook_endpoints/{endpoint['id']}", actor=merchant.id)
    assert shown.json()["failing_since"] is None
    assert not system.receiver.at("/elsewhere")


async def test_after_the_last_attempt_it_has_failed_and_can_be_replayed(system: System) -> None:
    merchant = await system.merchant()
    endpoint = await system.endpoint(merchant)
    system.receiver.answers[merchant.path] += [503] * MOST_ATTEMPTS
    system.receiver.bodies[merchant.path] = b"\x00\xff" + b"x" * 5000
    await system.payment(merchant)
    (failed,) = await system.settled(endpoint, merchant, "failed")
    assert (failed["attempts"], failed["next_attempt_at"]) == (MOST_ATTEMPTS, None)
    last = failed["last_attempt"]
    assert (last["status"], last["error"]) == (503, None) and last["duration_ms"] < 1000
    assert last["response"] == "\ufffd\ufffd" + "x" * 1022
    await asyncio.sleep(0.7)
    assert len(system.receiver.at(merchant.path)) == MOST_ATTEMPTS

    path, key = f"/v1/events/{failed['event']}/replay", "replay-" + endpoint["id"]
    for _ in range(2):  # the same order twice is one
        replayed = await system.call("POST", path, {}, actor=merchant.id, key=key)
        assert replayed.status_code == 201, replayed.text
    (made,) = replayed.json()["data"]
    assert (made["replay"], made["event"]) == (True, failed["event"])
    (delivered,) = await system.settled(endpoint, merchant, "delivered")
    assert delivered["id"] == made["id"]
    again = (await system.receiver.until(merchant.path, MOST_ATTEMPTS + 1))[-1]
    assert again.headers["webhook-id"] == failed["event"]
    again.verify(endpoint["secret"])


async def test_a_slow_endpoint_delays_nobody_and_is_not_flooded(
    system: System, record_property: Callable[[str, object], None]
) -> None:
    slow, fast = await system.merchant(), await system.merchant()
    system.receiver.delays[slow.path] = TIMEOUT_SECONDS * 3
    slow_endpoint, fast_endpoint = await system.endpoint(slow), await system.endpoint(fast)
    await system.payments(slow, 12)
    await system.receiver.until(slow.path, 2)
    began = time.monotonic()
    await system.payments(fast, 12)
    await system.settled(fast_endpoint, fast, "delivered", 12)
    took = time.monotonic() - began
    record_property("seconds_beside_a_slow_endpoint", round(took, 2))
    assert took < TIMEOUT_SECONDS * 2
    waiting = await system.deliveries(slow_endpoint, slow, status="pending", limit=100)
    assert len(waiting) == 12
    timed_out = [one for one in waiting if one["last_attempt"] is not None]
    assert all(one["last_attempt"]["error"] == "timeout" for one in timed_out)
    assert system.receiver.most_at_once[slow.path] <= 8  # 4 at a time; the receiver still holds as many
    del system.receiver.delays[slow.path]
    await system.settled(slow_endpoint, slow, "delivered", 12)


async def test_a_rolled_secret_signs_beside_the_new_one_until_it_ends(system: System) -> None:
    merchant = await system.merchant()
    endpoint = await system.endpoint(merchant)
    path = f"/v1/webhook_endpoints/{endpoint['id']}/roll_secret"
    rolled = (await system.call("POST", path, {}, actor=merchant.id)).json()
    assert rolled["secret"] != endpoint["secret"] and rolled["old_secret_expires_at"] > rolled["created_at"]
    await system.payment(merchant)
    (both,) = await system.receiver.until(merchant.path, 1)
    assert len(both.headers["webhook-signature"].split()) == 2
    both.verify(endpoint["secret"])
    both.verify(rolled["secret"])
    await system.database.execute(
        """UPDATE payments.webhook_secrets SET expires_at = now()
           WHERE endpoint_id = $1 AND expires_at > now()""",
        endpoint["id"],
    )
    await system.payment(merchant)
    alone = (await system.receiver.until(merchant.path, 2))[1]
    alone.verify(rolled["secret"])
    with pytest.raises(WebhookVerificationError):
        alone.verify(endpoint["secret"])


async def test_an_endpoint_that_is_gone_is_disabled_and_the_others_are_told(system: System) -> None:
    merchant = await system.merchant()
    gone = await system.endpoint(merchant, "payment.*")
    watching = await system.endpoint(merchant, "webhook_endpoint.disabled", path=f"{merchant.path}/watch")
    system.receiver.answers[merchant.path] += [410]
    await system.payment(merchant)
    (told,) = await system.receiver.until(f"{merchant.path}/watch", 1)
    told.verify(watching["secret"])
    about: dict[str, Any] = told.event["data"]["object"]
    assert (about["id"], about["status"], about["disabled_reason"]) == (gone["id"], "disabled", "gone")
    assert "secret" not in about
    await system.payment(merchant)
    await asyncio.sleep(1.2)
    assert len(system.receiver.at(merchant.path)) == 1
    test = f"/v1/webhook_endpoints/{gone['id']}/test"
    assert (await system.call("POST", test, {}, actor=merchant.id)).json()[
        "code"
    ] == "webhook_endpoint_disabled"
    one = f"/v1/webhook_endpoints/{gone['id']}"
    enabled = await system.call("PATCH", one, {"status": "enabled"}, actor=merchant.id)
    assert (enabled.json()["status"], enabled.json()["disabled_reason"]) == ("enabled", None)
    await system.payment(merchant)
    await system.receiver.until(merchant.path, 2)


async def test_an_endpoint_that_only_fails_for_days_is_disabled(system: System) -> None:
    merchant = await system.merchant()
    failing = await system.endpoint(merchant, "payment.*")
    system.receiver.answers[merchant.path] += [500] * 20
    await system.endpoint(merchant, "webhook_endpoint.*", path=f"{merchant.path}/watch")
    await system.payment(merchant)
    await system.receiver.until(merchant.path, 2)
    await system.database.execute(
        "UPDATE payments.webhook_endpoints SET failing_since = now() - interval '121 hours' WHERE id = $1",
        failing["id"],
    )
    (told,) = await system.receiver.until(f"{merchant.path}/watch", 1)
    assert told.event["data"]["object"]["disabled_reason"] == "failing"
    assert (await system.settled(failing, merchant, "canceled"))[0]["next_attempt_at"] is None


async def test_a_test_event_goes_to_its_endpoint_alone(system: System) -> None:
    merchant = await system.merchant()
    endpoint = await system.endpoint(merchant, "refund.failed")
    await system.endpoint(merchant, path=f"{merchant.path}/other")
    path = f"/v1/webhook_endpoints/{endpoint['id']}/test"
    made = await system.call("POST", path, {}, actor=merchant.id)
    assert made.status_code == 201, made.text
    (sent,) = await system.receiver.until(merchant.path, 1)
    sent.verify(endpoint["secret"])
    assert (sent.event["type"], sent.event["id"]) == ("webhook_endpoint.test", made.json()["event"])
    assert sent.event["data"]["object"]["id"] == endpoint["id"]
    assert endpoint["secret"] not in sent.body
    await asyncio.sleep(0.6)
    assert not system.receiver.at(f"{merchant.path}/other")
