"""One payment of the synthetic customer's, from the fuller of its accounts to the other, by the front door.

Run by a CronJob, and by an upgrade once its services roll. The standard library alone, for it starts every
few minutes. What came of it is one line of JSON in the container's termination message, for the operator:
{"ok", "message", "latencyMilliseconds", "paymentId"}; the latency is that of creating and confirming.
"""

import hashlib
import http.client
import json
import os
import ssl
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 20.0
AMOUNT = 100  # minor units
DESCRIPTION = "Synthetic payment"
MARK = {"synthetic": "true"}
#: Tries of one request that the platform says may be made again, and seconds between them.
TRIES, PAUSE = 3, 2.0

Body = Mapping[str, Any]


class Failed(Exception):
    """The payment did not go through; says at which step and why."""


class Entrance:
    """The load balancer. With a certificate it must show exactly that one, whatever names stand in it."""

    def __init__(self, url: str, certificate: str = "") -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._certificate = certificate if parts.scheme == "https" else ""

    def send(self, method: str, path: str, headers: Mapping[str, str], body: Body | None) -> tuple[int, Body]:
        """Status and body. Raises OSError, http.client.HTTPException, ValueError."""
        connection = self._connection()
        try:
            connection.connect()
            self._check(connection)
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, dict(headers))
            answer = connection.getresponse()
            raw = answer.read()
            return answer.status, json.loads(raw) if raw else {}
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not self._certificate:
            return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # see _check
        return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT, context=context)

    def _check(self, connection: http.client.HTTPConnection) -> None:
        if not self._certificate:
            return
        assert isinstance(connection.sock, ssl.SSLSocket)
        shown = connection.sock.getpeercert(binary_form=True)
        pem = Path(self._certificate).read_text()
        end = "-----END CERTIFICATE-----"
        own = ssl.PEM_cert_to_DER_cert(pem[: pem.index(end) + len(end)])
        if hashlib.sha256(shown or b"").digest() != hashlib.sha256(own).digest():
            raise ssl.SSLError("the load balancer shows another certificate than its Secret holds")


class Customer:
    """The synthetic customer at the entrance."""

    def __init__(self, entrance: Entrance, sleep: Callable[[float], None] = time.sleep) -> None:
        self._entrance = entrance
        self._sleep = sleep
        self._token = ""

    def login(self, username: str, password: str) -> None:
        """Raises Failed."""
        answer = self._call("login", "POST", "/auth/login", {"username": username, "password": password})
        self._token = str(answer["access_token"])

    def accounts(self) -> tuple[str, str, str]:
        """The account to pay from, the one to pay to, and their currency. Raises Failed."""
        found = list(self._call("accounts", "GET", "/v1/accounts")["data"])
        found.sort(key=lambda item: (-int(item["balance"]["available"]), str(item["account_number"])))
        if len(found) < 2:
            raise Failed(f"accounts: the synthetic customer has {len(found)} accounts and needs two")
        return str(found[0]["account_number"]), str(found[1]["account_number"]), str(found[0]["currency"])

    def pay(self, origin: str, to: str, currency: str) -> str:
        """Create and confirm; the payment's id. Raises Failed."""
        body = {"amount": AMOUNT, "currency": currency, "from_account": origin, "to_account": to}
        created = self._call(
            "create", "POST", "/v1/payments", {**body, "description": DESCRIPTION, "metadata": MARK}
        )
        confirmed = self._call("confirm", "POST", f"/v1/payments/{created['id']}/confirm", {})
        if confirmed.get("status") != "succeeded":
            raise Failed(f"confirm: payment {created['id']} is {confirmed.get('status')}, not succeeded")
        return str(created["id"])

    def logout(self) -> None:
        """End the session. Raises Failed."""
        self._call("logout", "POST", "/auth/logout", {})

    def _call(self, step: str, method: str, path: str, body: Body | None = None) -> Body:
        headers = {"Accept": "application/json", "X-Request-Id": f"synthetic-{uuid.uuid4()}"}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        for attempt in range(1, TRIES + 1):
            try:
                status, answer = self._entrance.send(method, path, headers, body)
            except (OSError, http.client.HTTPException, ValueError) as error:
                why, again = f"{type(error).__name__}: {error}", True
            else:
                if status < 300:
                    return answer
                why = f"{status} {answer.get('code', '')}: {answer.get('detail') or answer.get('title', '')}"
                again = bool(answer.get("retryable"))
            if not again or attempt == TRIES:
                raise Failed(f"{step}: {why}")
            self._sleep(PAUSE)
        raise AssertionError("unreachable")


def run(customer: Customer, username: str, password: str) -> dict[str, Any]:
    """The whole visit, as it is told to the operator."""
    try:
        customer.login(username, password)
        chosen = customer.accounts()
        began = time.monotonic()
        payment = customer.pay(*chosen)
        taken = round((time.monotonic() - began) * 1000)
        customer.logout()
    except Failed as failed:
        return {"ok": False, "message": str(failed)[:500]}
    return {"ok": True, "message": "paid", "latencyMilliseconds": taken, "paymentId": payment}


def main() -> int:
    """0: it was paid; 1: it was not."""
    folder = Path(os.environ["SYNTHETIC_CREDENTIALS_DIR"])
    entrance = Entrance(os.environ["SYNTHETIC_URL"], os.environ.get("SYNTHETIC_CERTIFICATE", ""))
    username, password = ((folder / name).read_text().strip() for name in ("username", "password"))
    told = json.dumps(run(Customer(entrance), username, password))
    sys.stdout.write(f"{told}\n")
    log = Path(os.environ.get("TERMINATION_LOG", "/dev/termination-log"))
    if log.exists():
        log.write_text(told)
    return 0 if json.loads(told)["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
