"""Subscriptions, retries, signatures, verdicts, bodies, settings."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from payments.common.app import problem as problem_response
from payments.common.auth import Actor
from payments.common.errors import Problem
from payments.confirm.settings import Settings
from payments.confirm.webhooks import retries, signing
from payments.confirm.webhooks.addresses import Guard
from payments.confirm.webhooks.bodies import CreateEndpoint, UpdateEndpoint, check
from payments.confirm.webhooks.deliveries import Delivery
from payments.confirm.webhooks.dispatcher import verdict
from payments.confirm.webhooks.endpoints import Endpoints
from payments.confirm.webhooks.routes import Routes
from payments.confirm.webhooks.sender import Attempt
from payments.confirm.webhooks.trail import Trail, event_body
from payments.contracts.webhook import SUBSCRIPTIONS, TEST, TYPES, subscribes

TABLE = retries.parse(retries.DEFAULT)


@pytest.mark.parametrize(
    ("subscriptions", "event_type", "wanted"),
    [
        (["*"], "payment.succeeded", True),
        (["*"], "refund.failed", True),
        (["payment.*"], "payment.refunded", True),
        (["payment.*"], "refund.succeeded", False),
        (["payment.succeeded"], "payment.succeeded", True),
        (["payment.succeeded"], "payment.failed", False),
        (["refund.*", "payment.failed"], "payment.failed", True),
        (["pay.*"], "payment.failed", False),
        ([], "payment.failed", False),
    ],
)
def test_subscriptions(subscriptions: list[str], event_type: str, wanted: bool) -> None:
    assert subscribes(subscriptions, event_type) is wanted


def test_a_test_event_can_be_subscribed_to_by_nobody() -> None:
    assert TEST not in TYPES
    assert {"*", "payment.*", "refund.*", "webhook_endpoint.*"} == {s for s in SUBSCRIPTIONS if "*" in s}


def test_the_table_grows_and_ends_after_about_a_day() -> None:
    assert list(TABLE) == sorted(TABLE)
    assert 20 * 3600 < sum(TABLE) < 28 * 3600
    for attempt, wait in enumerate(TABLE, 1):
        assert retries.delay(TABLE, attempt, 0) == timedelta(seconds=wait * 0.8)
        assert retries.delay(TABLE, attempt, 1) == timedelta(seconds=wait * 1.2)
        drawn = {retries.delay(TABLE, attempt) for _ in range(20)}
        assert len(drawn) > 1
    assert retries.delay(TABLE, len(TABLE) + 1) is None


@pytest.mark.parametrize("text", ["soon", "0", "-1", "1,,x", "99999999"])
def test_tables_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        retries.parse(text)


def test_each_secret_signs_and_the_library_agrees() -> None:
    old, new, body = signing.new_secret(), signing.new_secret(), '{"a": "\u00e9"}'
    assert old != new
    headers = signing.headers("evt", body, [new, old], datetime.now(UTC))
    for secret in (old, new):
        assert Webhook(secret).verify(body.encode(), headers) == {"a": "\u00e9"}
    for spoilt in (body.replace("a", "b"), body + " "):
        with pytest.raises(WebhookVerificationError):
            Webhook(new).verify(spoilt, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(body, headers | {"webhook-id": "other"})
    late = signing.headers("evt", body, [new], datetime.now(UTC) - timedelta(minutes=6))
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(body, late)


@pytest.mark.parametrize(
    ("status", "attempt", "outcome"),
    [
        (200, 1, "delivered"),
        (204, 11, "delivered"),
        (302, 1, "retry"),
        (400, 1, "retry"),
        (500, 10, "retry"),
        (500, 11, "failed"),
        (None, 1, "retry"),
        (None, 11, "failed"),
        (410, 1, "gone"),
    ],
)
def test_verdicts(status: int | None, attempt: int, outcome: str) -> None:
    found, delay = verdict(Attempt(1, status), attempt, TABLE)
    assert found == outcome
    assert (delay is not None) == (outcome == "retry")


def test_a_delivery_shows_no_secret_in_a_log() -> None:
    delivery = Delivery("d", "e", "v", "https://x.example.com/?token=t", '{"b": 1}', ["whsec_s"], 1, None)
    assert str(delivery) == f"{delivery}" == "Delivery(d, attempt 1)"


def test_bodies_are_checked_field_by_field() -> None:
    guard = Guard(https_only=True, allow_private=False)
    with pytest.raises(Problem) as problem:
        check(CreateEndpoint(url="http://localhost/", enabled_events=["x"]), guard)
    assert [error["field"] for error in problem.value.errors] == ["url", "enabled_events"]
    check(CreateEndpoint(url="https://shop.example.com/", enabled_events=["*"]), guard)
    check(UpdateEndpoint(), guard)
    with pytest.raises(Problem):
        check(UpdateEndpoint(status="paused"), guard)


def test_an_event_is_what_is_sent() -> None:
    body = event_body("e1", "payment.created", "2026-01-31T12:00:00.000Z", '{"id": "p1", "amount": 10}')
    assert msgspec.json.decode(body) == {
        "id": "e1",
        "object": "event",
        "type": "payment.created",
        "created": "2026-01-31T12:00:00.000Z",
        "data": {"object": {"id": "p1", "amount": 10}},
    }


async def test_switched_off_every_route_says_so() -> None:
    none: Any = None  # nothing behind the routes is reached
    endpoints, trail = Endpoints(none, overlap=timedelta(days=1)), Trail(none)
    app = Starlette(routes=Routes(endpoints, trail, none, enabled=False).routes())
    app.add_exception_handler(Problem, problem_response)

    async def for_a_customer(scope: Scope, receive: Receive, send: Send) -> None:
        scope["actor"] = Actor("u", "c", "customer")
        await app(scope, receive, send)

    asked = 0
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(for_a_customer), base_url="http://confirm"
    ) as client:
        for route in app.routes:
            assert isinstance(route, Route) and route.methods is not None
            for method in route.methods - {"HEAD"}:
                body = {"url": "https://a.example/", "enabled_events": ["*"]} if "{" not in route.path else {}
                path = route.path.replace("{id}", "x")
                answer = await client.request(method, path, json=body, headers={"Idempotency-Key": "k"})
                assert (answer.status_code, answer.json()["code"]) == (403, "webhooks_disabled"), path
                asked += 1
    assert asked == 11


def test_settings_are_checked() -> None:
    values: dict[str, Any] = {
        "service": "confirm-service",
        "http_port": 3003,
        "database_host": "x",
        "database_user": "x",
        "database_password": "x",
        "kafka_bootstrap_servers": "x",
        "risk_service_url": "x",
        "otp_service_url": "x",
        "account_service_url": "x",
        "partner_bank_api_url": "x",
    }
    made = Settings(**values, webhooks_denied="11.0.0.0/8, 2600::/16")
    assert [str(network) for network in made.webhook_denied_networks] == ["11.0.0.0/8", "2600::/16"]
    assert not made.webhooks_allow_private
    for wrong in ({"webhooks_denied": "11.0.0.1/8"}, {"webhooks_retry_seconds": "never"}):
        with pytest.raises(ValueError, match="."):
            Settings(**(values | wrong))
