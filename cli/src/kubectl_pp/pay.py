"""A demo payment through the load balancer, told step by step; the dev profile has the customers for it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

from kubectl_pp.kube import Failed

SECONDS = 30


def demo_payment(url: str, amount: int = 100) -> Iterator[str]:
    """Pay `amount` minor units of USD from ACC001 to ACC002. Raises Failed when it does not succeed."""
    began = time.monotonic()
    login = _post(f"{url}/auth/login", {"username": "demo", "password": "password123"})
    if "access_token" not in login:
        raise Failed(f"demo could not log in: {_told(login)}: only the dev profile has demo customers")
    yield "logged in as demo"
    headers = {"Authorization": f"Bearer {login['access_token']}"}
    body = {"amount": amount, "currency": "USD", "from_account": "ACC001", "to_account": "ACC002"}
    created = _post(f"{url}/v1/payments", body, headers)
    if "id" not in created:
        raise Failed(f"the payment was not created: {_told(created)}")
    yield f"created {created['id']}"
    confirmed = _post(f"{url}/v1/payments/{created['id']}/confirm", {}, headers)
    if confirmed.get("status") != "succeeded":
        raise Failed(f"the payment was not confirmed: {_told(confirmed)}")
    yield f"succeeded: {confirmed['reference']}, {(time.monotonic() - began) * 1000:.0f} ms in all"


def _told(answer: dict[str, Any]) -> str:
    return str(answer.get("detail") or answer.get("title") or answer.get("status") or answer)


def _post(url: str, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    sent = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4()), **(headers or {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), sent)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            answer: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            answer = json.load(error)
    except (OSError, ValueError) as error:
        raise Failed(f"no answer of {url}: {error}") from None
    return answer
