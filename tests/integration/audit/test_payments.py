"""A real payment leaves a whole trail: every service's events, none missing, each once."""

import asyncio
import re
import secrets
from typing import Any

import httpx

from hack.dev.identity import Identity
from hack.dev.stack import Stack
from tests.support.internal_calls import Pool, eventually

SERVICES = {"confirm-service", "account-service", "otp-service", "kyc-service", "ofac-service"}


async def test_a_payment_with_a_password_leaves_a_whole_trail(
    running: Stack, identity: Identity, database: Pool, client: httpx.AsyncClient
) -> None:
    customer_id = f"cust-{secrets.token_hex(5)}"
    payer, payee = (f"A{secrets.token_hex(5).upper()}" for _ in range(2))
    await database.execute(
        "INSERT INTO kyc.customers (customer_id, name, email, phone, status)"
        " VALUES ($1, 'Edith Probe', 'edith@example.com', '+15550177', 'verified')",
        customer_id,
    )
    for account, balance in ((payer, 2_000_000), (payee, 0)):
        await database.execute(
            "SELECT accounts.open_account($1, $2, 'USD', $3)", account, customer_id, balance
        )

    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {identity.token('api-gateway')}",
            "X-Actor-Token": identity.actor_token(customer_id),
            "Idempotency-Key": secrets.token_hex(16),
        }
        for _ in range(10):  # the services have just begun
            response = await client.post(running.url("confirm-service") + path, json=body, headers=headers)
            if response.status_code != 503:
                break
            await asyncio.sleep(0.5)
        assert response.status_code in (200, 201), response.text
        answer: dict[str, Any] = response.json()
        return answer

    order = {"amount": 1_200_000, "currency": "USD", "from_account": payer, "to_account": payee}
    payment = await post("/v1/payments", order)
    path = f"/v1/payments/{payment['id']}/confirm"
    assert (await post(path, {}))["status"] == "requires_action"
    messages = await client.get(
        running.url("notification-service") + "/sandbox/messages", params={"to": customer_id}
    )
    (code,) = {
        match.group()
        for message in messages.json()["messages"]
        if (match := re.search(r"\b\d{6}\b", message["body"]))
    }
    assert (await post(path, {"otp": code}))["status"] == "succeeded"

    async def trail() -> list[str]:
        rows = await database.fetch(
            "SELECT type FROM audit.events WHERE payment_id = $1 ORDER BY source, source_sequence",
            payment["id"],
        )
        return [row["type"] for row in rows]

    async def recorded() -> bool:
        return {"payment.succeeded", "transfer.posted", "otp.verified"} <= set(await trail())

    await eventually("the payment is recorded", recorded, seconds=30)
    types = await trail()
    for once in ("payment.created", "payment.succeeded", "transfer.posted", "otp.sent", "otp.verified"):
        assert types.count(once) == 1, types

    async def told() -> bool:
        rows = await database.fetch(
            "SELECT channel FROM notification.deliveries"
            " WHERE customer_id = $1 AND type = 'PAYMENT_CONFIRMED' AND status = 'sent'",
            customer_id,
        )
        return len(rows) == 3

    await eventually("the customer is told", told, seconds=30)

    # Tests before this one may have sent events to a Kafka of their own.
    own = await database.fetch(
        "SELECT source, min(source_sequence) AS first FROM audit.events"
        " WHERE payment_id = $1 GROUP BY source",
        payment["id"],
    )
    first = {row["source"]: row["first"] for row in own}
    assert {"confirm-service", "account-service", "otp-service"} <= set(first) <= SERVICES, first

    async def complete() -> bool:
        report = await client.get(
            running.url("audit-service") + "/verify",
            headers={"Authorization": f"Bearer {identity.token('api-gateway')}"},
        )
        assert report.json()["intact"] is True
        gaps = report.json()["gaps"]
        return not any(gap["last"] > first[gap["source"]] for gap in gaps if gap["source"] in first)

    await eventually("no service's event is missing", complete, seconds=30)
    published = await database.fetchval(
        "SELECT count(*) FROM payments.outbox WHERE key = $1 AND published_at IS NULL", payment["id"]
    )
    assert published == 0
