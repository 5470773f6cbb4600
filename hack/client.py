"""A small client of the platform's public API, for `make up`, `make demo` and the end-to-end tests."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any

TIMEOUT = 35.0


@dataclass(frozen=True)
class Answer:
    """Status, JSON body (empty when there is none) and lower-case headers of a response."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Client:
    """Talks to the load balancer at `url`, as whoever logged in last."""

    url: str
    token: str = ""

    def login(self, username: str, password: str) -> None:
        """Log in. Raises RuntimeError with the answer when that fails."""
        answer = self.post("/auth/login", {"username": username, "password": password})
        if answer.status != 200:
            raise RuntimeError(f"login as {username} was answered {answer.status}: {answer.body}")
        self.token = answer.body["access_token"]

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> Answer:
        """POST JSON under an Idempotency-Key (a fresh one by default)."""
        return self._send("POST", path, body or {}, key or str(uuid.uuid4()))

    def get(self, path: str) -> Answer:
        """GET a resource."""
        return self._send("GET", path, None, None)

    def _send(self, method: str, path: str, body: dict[str, Any] | None, key: str | None) -> Answer:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                return _answer(response.status, response.read(), response.headers)
        except urllib.error.HTTPError as error:
            return _answer(error.code, error.read(), error.headers)


def _answer(status: int, raw: bytes, headers: Any) -> Answer:
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        body = {"raw": raw[:500].decode(errors="replace")}
    return Answer(status, body, {name.lower(): value for name, value in headers.items()})


def wait_until_up(client: Client, seconds: float) -> None:
    """Wait until the API's health answers 200. Raises TimeoutError with the last answer."""
    end = time.monotonic() + seconds
    last = "no answer"
    while time.monotonic() < end:
        try:
            answer = client.get("/health")
            if answer.status == 200:
                return
            last = f"{answer.status} {answer.body}"
        except OSError as error:
            last = str(error)
        time.sleep(0.5)
    raise TimeoutError(f"{client.url}/health did not answer 200 within {seconds:.0f} s: {last}")


def pay(client: Client, *, amount: int, from_account: str, to_account: str) -> dict[str, Any]:
    """Create and confirm a payment of `amount` minor units of USD; the payment as answered.

    Raises:
        RuntimeError: it did not succeed; the message holds the answer.
    """
    created = client.post(
        "/v1/payments",
        {"amount": amount, "currency": "USD", "from_account": from_account, "to_account": to_account},
    )
    if created.status != 201:
        raise RuntimeError(f"creating a payment was answered {created.status}: {created.body}")
    confirmed = client.post(f"/v1/payments/{created.body['id']}/confirm")
    if confirmed.status != 200 or confirmed.body.get("status") != "succeeded":
        raise RuntimeError(f"confirming the payment was answered {confirmed.status}: {confirmed.body}")
    return confirmed.body
