"""One confirmation is one trace, from the gateway to the consumers, and it tells no secrets."""

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable

import httpx
import pytest

from hack.dev.stack import Stack
from tests.integration.tracing.conftest import OFF_US, ON_US, Customer
from tests.support.otlp_receiver import Received, Receiver

SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
pytestmark = pytest.mark.timeout(300)  # the stack starts within the first test
SEVEN = {
    *("api-gateway", "confirm-service", "risk-service", "account-service"),
    *("partner-bank-api", "notification-service", "audit-service"),
}


async def trace_of(
    receiver: Receiver,
    root: str,
    payment: str,
    complete: Callable[[list[Received]], bool],
    seconds: float = 20,
) -> list[Received]:
    """All spans of the one trace whose root has this name and payment; complete within `seconds`."""
    until = time.monotonic() + seconds
    while True:
        found = [
            spans
            for spans in receiver.traces().values()
            if any(
                not s.parent and s.name == root and s.attributes.get("payment.id") == payment for s in spans
            )
        ]
        if len(found) == 1 and complete(found[0]):
            await asyncio.sleep(2.5)  # what is still on its way belongs to it, too
            trace = found[0][0].trace
            return receiver.traces()[trace]
        assert time.monotonic() < until, (len(found), [(s.service, s.name) for s in sum(found, [])])
        await asyncio.sleep(0.1)


def recorded(spans: list[Received]) -> bool:
    """Both consumers have spoken: the payment's end has been audited and told."""
    consumed = {(s.service, s.name) for s in spans if s.kind == CONSUMER}
    return {
        ("audit-service", "process payment-events"),
        ("notification-service", "process notification-events"),
    } <= consumed and "partner-bank-api" in {s.service for s in spans}


async def test_a_confirmation_is_one_trace_through_seven_services(
    customer: Customer, receiver: Receiver
) -> None:
    payment = await customer.create(OFF_US)
    assert (await customer.confirm(payment))["status"] == "succeeded"
    spans = await trace_of(receiver, "POST /v1/payments/{id}/confirm", payment, recorded)
    services = {span.service for span in spans}
    assert services >= SEVEN, services
    ids = {span.id: span for span in spans}
    assert len(ids) == len(spans)
    roots = [span for span in spans if not span.parent]
    assert [(root.service, root.kind) for root in roots] == [("api-gateway", SERVER)]
    assert not [span for span in spans if span.parent and span.parent not in ids], "orphans"
    for span in spans:
        assert span.start <= span.end
        if span.parent:  # one machine, one clock
            assert span.start >= ids[span.parent].start
        if span.kind == SERVER and span.parent:
            caller = ids[span.parent]
            assert (caller.kind, caller.attributes["peer.service"]) == (CLIENT, span.service)
        if span.kind == CONSUMER:
            assert ids[span.parent].kind == PRODUCER
        assert span.resource["service.instance.id"] == f"{span.service}-local"
        assert span.resource["k8s.namespace.name"] and span.resource["service.version"]
    about = {span.service for span in spans if span.attributes.get("payment.id") == payment}
    assert {"api-gateway", "confirm-service", "risk-service", "account-service"} <= about
    (confirm,) = [s for s in spans if s.service == "confirm-service" and s.kind == SERVER]
    assert confirm.attributes["payment.outcome"] == "succeeded"
    assert confirm.attributes["payment.risk_level"] == "LOW"
    assert confirm.attributes["http.route"] == "/v1/payments/{id}/confirm"
    assert confirm.attributes["http.response.status_code"] == 200
    databases = {s.name for s in spans if s.attributes.get("db.system.name") == "postgresql"}
    assert {"SELECT payments.act", "SELECT payments.settle", "SELECT bank.accept"} <= databases
    assert [s.name for s in spans if s.attributes.get("db.system.name") == "redis"] == ["EVALSHA"]
    sys.stdout.write(f"{len(spans)} spans of {len(services)} services\n")


async def test_a_payment_that_is_settled_later_goes_on_in_its_trace(
    traced: Stack, customer: Customer, receiver: Receiver
) -> None:
    """The bank does not say what became of it; the janitor finds out."""
    faults = f"{traced.url('partner-bank-api')}/sandbox/faults"
    async with httpx.AsyncClient(timeout=30) as bank:
        payment = await customer.create(OFF_US)
        (await bank.post(faults, json={"fault": "error_before", "count": 10_000})).raise_for_status()
        assert (await customer.confirm(payment, status=202))["status"] == "processing"
        (await bank.post(faults, json={"count": 0})).raise_for_status()

    def settled(spans: list[Received]) -> bool:
        return recorded(spans) and "settle payment" in {span.name for span in spans}

    spans = await trace_of(receiver, "POST /v1/payments/{id}/confirm", payment, settled, seconds=60)
    ids = {span.id for span in spans}
    assert [span for span in spans if span.parent and span.parent not in ids] == []
    settling = [span for span in spans if span.name == "settle payment"]
    assert {span.attributes["payment.id"] for span in settling} == {payment}
    assert {span.service for span in spans if span.parent in {s.id for s in settling}} >= {"confirm-service"}


async def test_logs_name_the_trace_and_the_payment(
    traced: Stack, customer: Customer, receiver: Receiver
) -> None:
    payment = await customer.create(ON_US)
    await customer.confirm(payment)
    spans = await trace_of(receiver, "POST /v1/payments/{id}/confirm", payment, lambda spans: len(spans) > 8)
    folder = traced.processes.log_folder
    assert folder is not None
    for service in ("confirm-service", "account-service", "risk-service"):
        lines = [json.loads(line) for line in (folder / f"{service}.log").read_text().splitlines()]
        mine = [line for line in lines if line.get("trace_id") == spans[0].trace]
        assert mine and all(line["payment_id"] == payment for line in mine), service
        assert {line["span_id"] for line in mine} <= {s.id for s in spans if s.service == service}


async def test_the_edge_keeps_a_clients_trace_and_decides_itself(
    customer: Customer, receiver: Receiver
) -> None:
    payment = await customer.create(ON_US)
    trace = "0af7651916cd43dd8448eb211c80319c"
    await customer.confirm(payment, traceparent=f"00-{trace}-b7ad6b7169203331-00")
    until = time.monotonic() + 10
    while not (entered := [s for s in receiver.traces().get(trace, []) if s.parent == "b7ad6b7169203331"]):
        assert time.monotonic() < until
        await asyncio.sleep(0.1)
    assert [span.service for span in entered] == ["api-gateway"]


async def test_housekeeping_is_not_traced(receiver: Receiver, traced: Stack) -> None:
    receiver.clear()
    async with httpx.AsyncClient(timeout=10) as client:
        for path in ("/live", "/ready", "/health", "/metrics"):
            await client.get(traced.url("risk-service") + path)
    await asyncio.sleep(4)  # pollers, relays and janitors turn several times
    names = {(s.service, s.name) for s in receiver.spans if not s.parent}
    assert not {name for _, name in names if re.search(r"/(live|ready|health|metrics|version)$", name)}, names
    assert not {name for name in names if name[0] != "api-gateway"}, names


async def test_no_span_tells_a_secret(traced: Stack, customer: Customer, receiver: Receiver) -> None:
    receiver.clear()
    token = await customer.login()
    secret = "canary-5f2e91c4"
    number = "4111222233334444"
    base = traced.url("api-gateway")
    high = await customer.create(ON_US | {"amount": 10_000_01, "description": secret})
    assert (await customer.confirm(high))["status"] == "requires_action"
    otp = await customer.password()
    assert (await customer.confirm(high, {"otp": otp}))["status"] == "succeeded"
    await customer.confirm(await customer.create(OFF_US))
    async with httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {token}"}) as client:
        await client.post("/auth/login", json={"username": secret, "password": secret})
        await client.get(f"/v1/accounts/{number}")
        await client.get(f"/v1/payments/{number}")
        await client.get(f"/{secret}/{number}", params={"token": secret})
        await client.get("/v1/payments", params={"account": number, "status": "succeeded"})
        await client.get("/v1/accounts/ACC003/entries", params={"limit": 3})
        await client.request(secret.upper().replace("-", ""), "/v1/payments")
        await client.get("/v1/payments", headers={"Authorization": f"Bearer {secret}"})
    await asyncio.sleep(4)
    sent = b"".join(receiver.bodies)
    assert b"/v1/accounts/{number}" in sent and high.encode() in sent  # something was looked at
    planted = [secret, secret.upper().replace("-", ""), number, token, "password123", "9876543210"]
    planted += ["021000021", "ACC003", "ACC002", "Aldergrove", "cust_003", "demo3", f"confirm-{high}"]
    assert [text for text in planted if text.encode() in sent] == []
    assert not re.search(rb"(?<![0-9a-f-])" + otp.encode() + rb"(?![0-9a-f-])", sent)
