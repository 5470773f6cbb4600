"""A bounded load of payments through the load balancer, begun at a fixed rate whatever the answers take."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence

import httpx

TIMEOUT = 35.0


async def payments(
    url: str, customers: Sequence[Mapping[str, str]], *, seconds: float, rate: float
) -> Counter[str]:
    """Create and confirm `rate` payments a second, each from a customer to the next; how many ended how.

    Args:
        customers: as `hack.samples.create` gives them.

    Raises:
        httpx.HTTPError: a customer cannot log in.
    """
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT, limits=limits) as client:
        tokens = [await _login(client, customer) for customer in customers]
        tasks: list[asyncio.Task[str]] = []
        clock = asyncio.get_running_loop().time
        began = clock()
        for number in range(round(seconds * rate)):
            await asyncio.sleep(max(0.0, began + number / rate - clock()))
            payer, payee = number % len(customers), (number + 1) % len(customers)
            body = {
                "amount": 100 + number % 900,
                "currency": "USD",
                "from_account": customers[payer]["account_number"],
                "to_account": customers[payee]["account_number"],
            }
            tasks.append(asyncio.create_task(_pay(client, tokens[payer], body)))
        return Counter(await asyncio.gather(*tasks))


async def _login(client: httpx.AsyncClient, customer: Mapping[str, str]) -> str:
    credentials = {"username": customer["username"], "password": customer["password"]}
    answer = await client.post("/auth/login", json=credentials)
    answer.raise_for_status()
    token: str = answer.json()["access_token"]
    return token


async def _pay(client: httpx.AsyncClient, token: str, body: Mapping[str, object]) -> str:
    """The payment's status, or what went wrong."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(16)}
    try:
        created = await client.post("/v1/payments", json=body, headers=headers)
        if created.status_code != 201:
            return f"not created: {created.status_code}"
        headers["Idempotency-Key"] = secrets.token_hex(16)
        path = f"/v1/payments/{created.json()['id']}/confirm"
        confirmed = await client.post(path, json={}, headers=headers)
    except httpx.HTTPError as error:
        return type(error).__name__
    if confirmed.status_code not in (200, 202):
        return f"not confirmed: {confirmed.status_code}"
    return str(confirmed.json()["status"])
