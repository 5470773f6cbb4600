"""What merchants are told of a payment is part of the payment's trace, attempt by attempt."""

import secrets
import sys
from collections.abc import Callable

import pytest

from tests.integration.tracing.conftest import ON_US, Customer
from tests.integration.tracing.test_traces import CLIENT, trace_of
from tests.integration.webhooks.receiver import receiver as merchant_server
from tests.support.otlp_receiver import Received, Receiver

pytestmark = pytest.mark.timeout(300)  # the stack starts within the first test
NAME = "deliver webhook"


def deliveries(spans: list[Received]) -> list[Received]:
    """Spans of attempts, in the order in which they began."""
    return sorted((span for span in spans if span.name == NAME), key=lambda span: span.start)


def at_least(count: int) -> Callable[[list[Received]], bool]:
    return lambda spans: len(deliveries(spans)) >= count


async def test_deliveries_are_children_of_the_request_that_made_their_event(
    customer: Customer, receiver: Receiver
) -> None:
    path = f"/hook-{secrets.token_hex(8)}"
    async with merchant_server() as merchant:
        merchant.answers[path] = [200, 503]  # the payment's creation; then the first attempt after it
        endpoint = await customer.endpoint(merchant.url + path)
        try:
            payment = await customer.create(ON_US)
            (created,) = await merchant.until(path, 1)
            assert (await customer.confirm(payment))["status"] == "succeeded"
            came = (await merchant.until(path, 4))[1:]
            spans = await trace_of(receiver, "POST /v1/payments/{id}/confirm", payment, at_least(3))
        finally:
            await customer.drop(endpoint)
    assert {one.event["type"] for one in came} == {"payment.processing", "payment.succeeded"}
    (before,) = [
        found
        for found in receiver.traces().values()
        if created.headers["webhook-id"]
        in {span.attributes["webhook.event.id"] for span in deliveries(found)}
    ]
    assert [span.name for span in before if not span.parent] == ["POST /v1/payments"]
    attempts = deliveries(spans)
    told = sorted(one.headers["webhook-id"] for one in came)
    assert sorted(span.attributes["webhook.event.id"] for span in attempts) == told
    ids = {span.id: span for span in spans}
    for span in attempts:
        parent = ids[span.parent]
        assert (span.service, span.kind) == ("confirm-service", CLIENT)
        assert parent.service == "confirm-service" and parent.start <= span.start
        assert span.attributes["webhook.endpoint.id"] == endpoint
    failed = [span for span in attempts if span.error]
    assert [span.attributes["http.response.status_code"] for span in failed] == [503]
    again = [
        span
        for span in attempts
        if span.attributes["webhook.event.id"] == failed[0].attributes["webhook.event.id"]
    ]
    assert [span.attributes["webhook.attempt"] for span in again] == [1, 2]
    assert {s.attributes["http.response.status_code"] for s in attempts if not s.error} == {200}
    # Where it went is nobody else's business, nor is the trace the merchant's.
    assert path.encode() not in b"".join(receiver.bodies)
    assert not [one for one in (created, *came) if "traceparent" in one.headers]
    sys.stdout.write(f"{len(attempts)} attempts in a trace of {len(spans)} spans\n")
