"""People and objects of their own for the tests of the API: nothing of the demo's is touched."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

from hack.dev.stack import Stack

PASSWORD = "password123"  # of the seeded users, whose stored hash is copied
HIGH = 1_500_000  # minor units that need a one-time password
REVIEW = 7_600_000  # minor units that an operator has to look at

_CUSTOMER = """
    INSERT INTO kyc.customers (customer_id, name, email, phone, country, date_of_birth, status, level)
    VALUES (%s, %s, %s, %s, 'US', '1990-01-01', 'verified', 'full')"""
_USER = """
    INSERT INTO gateway.users (user_id, username, customer_id, role, password_hash)
    SELECT %s, %s, %s, %s, password_hash FROM gateway.users WHERE username = 'demo'"""


@dataclass(frozen=True)
class Person:
    """Someone who has logged in. `customer_id`, `account` and `phone` are empty for staff."""

    user_id: str
    username: str
    role: str
    token: str
    refresh_token: str
    customer_id: str = ""
    account: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Request:
    """One request of the public API. `key` None sends no Idempotency-Key."""

    method: str
    path: str
    body: Any = None
    key: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def with_key(self, key: str | None) -> "Request":
        """The same under another key."""
        return Request(self.method, self.path, self.body, key, self.headers)


class World:
    """Makes people, payments, refunds and reviews; sends requests through the gateway."""

    def __init__(
        self, stack: Stack, http: httpx.Client, database: "psycopg.Connection[tuple[Any, ...]]"
    ) -> None:
        self.stack = stack
        self.http = http
        self.database = database
        self._staff: dict[str, Person] = {}

    def document(self) -> dict[str, Any]:
        """The OpenAPI document as it is served."""
        answer = self.http.get("/openapi.json")
        assert answer.status_code == 200
        document: dict[str, Any] = answer.json()
        return document

    def customer(self, balance: int = 100_000_000) -> Person:
        """A new verified customer with one USD account, logged in; `balance` in minor units."""
        mark = secrets.token_hex(5).upper()
        customer_id, account, phone = f"cust-{mark}", f"C{mark}", f"+1{secrets.randbelow(10**12):012d}"
        name = f"Testina {mark.translate(str.maketrans('0123456789', 'GHJKLMNPQR'))}"
        self.database.execute(_CUSTOMER, (customer_id, name, f"{mark}@example.com", phone))
        self.database.execute(
            "SELECT accounts.open_account(%s, %s, 'USD', %s)", (account, customer_id, balance)
        )
        return self._user("customer", customer_id, account, phone)

    def staff(self, role: str) -> Person:
        """An operator or auditor, the same one each time."""
        if role not in self._staff:
            self._staff[role] = self.new_staff(role)
        return self._staff[role]

    def new_staff(self, role: str) -> Person:
        """Another operator or auditor."""
        return self._user(role)

    def login(self, username: str) -> dict[str, Any]:
        """The answer of a login that must succeed."""
        answer = self.http.post("/auth/login", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        session: dict[str, Any] = answer.json()
        return session

    def send(self, request: Request, token: str | None) -> httpx.Response:
        """The answer to a request with this access token."""
        headers = dict(request.headers)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if request.key is not None:
            headers["Idempotency-Key"] = request.key
        content = None
        if request.body is not None:
            headers.setdefault("Content-Type", "application/json")
            content = request.body if isinstance(request.body, bytes) else json.dumps(request.body).encode()
        return self.http.request(request.method, request.path, headers=headers, content=content)

    def done(self, request: Request, person: Person) -> dict[str, Any]:
        """The JSON answer of a request that must succeed."""
        answer = self.send(request, person.token)
        assert answer.is_success, (request, answer.status_code, answer.text)
        document: dict[str, Any] = answer.json()
        return document

    def payment(self, payer: Person, payee: Person, amount: int = 500) -> str:
        """Id of a new payment that waits to be confirmed."""
        body = {
            "amount": amount,
            "currency": "USD",
            "from_account": payer.account,
            "to_account": payee.account,
        }
        return str(self.done(Request("POST", "/v1/payments", body, fresh_key()), payer)["id"])

    def confirmed(self, payer: Person, payee: Person, amount: int = 500) -> str:
        """Id of a payment that has been confirmed once: what came of it depends on the amount."""
        payment = self.payment(payer, payee, amount)
        self.done(Request("POST", f"/v1/payments/{payment}/confirm", {}, fresh_key()), payer)
        return payment

    def refund(self, payer: Person, payee: Person) -> str:
        """Id of a refund of a payment of the payer's."""
        payment = self.confirmed(payer, payee)
        refund = self.done(
            Request("POST", f"/v1/payments/{payment}/refunds", {"amount": 5}, fresh_key()), payer
        )
        return str(refund["id"])

    def disable(self, person: Person) -> None:
        """Lock the user out, as the database knows it."""
        self.database.execute(
            "UPDATE gateway.users SET disabled = true WHERE user_id = %s", (person.user_id,)
        )

    def _user(self, role: str, customer_id: str | None = None, account: str = "", phone: str = "") -> Person:
        username = f"{role}-{secrets.token_hex(6)}"
        user_id = f"user_{username}"
        self.database.execute(_USER, (user_id, username, customer_id, role))
        session = self.login(username)
        return Person(
            user_id,
            username,
            role,
            session["access_token"],
            session["refresh_token"],
            customer_id or "",
            account,
            phone,
        )


def fresh_key() -> str:
    """An Idempotency-Key that nobody has used."""
    return secrets.token_hex(16)
