"""Secrets and account numbers that go through every flow, and how they are found where they must not be."""

import asyncio
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import asyncpg
import httpx
from joserfc.jwk import RSAKey

from tests.support.sealing import content_key, key_of, seal_jwe

Database: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


def canary(what: str) -> str:
    """A word that stands nowhere else."""
    return f"{what}{secrets.token_hex(8)}"


def bearer(token: str) -> dict[str, str]:
    """The Authorization header."""
    return {"Authorization": f"Bearer {token}"}


class Flows:
    """Everything a person can do, with canaries noted in `hidden`."""

    def __init__(self, api: httpx.AsyncClient, database: Database, *, inside: Sequence[str] = ()) -> None:
        self.api = api
        self.database = database
        self.inside = inside
        self.hidden: dict[str, str] = {}
        self.codes: list[str] = []
        self.customer = f"cust-{secrets.token_hex(5)}"
        self.phone = f"+1{secrets.randbelow(10**12):012d}"

    def hide(self, what: str, value: str | None = None) -> str:
        """Note a canary."""
        name = f"{what} {len(self.hidden)}"
        self.hidden[name] = value if value is not None else canary(what)
        return self.hidden[name]

    async def set_up(self) -> None:
        """A customer with an account and a user, made by an operator."""
        self.account = self.hide("account", f"77{secrets.randbelow(10**14):014d}")
        self.payee = self.hide("account", f"88{secrets.randbelow(10**14):014d}")
        await self.database.execute(
            """INSERT INTO kyc.customers
                   (customer_id, name, email, phone, country, date_of_birth, status, level)
               VALUES ($1, 'Testina Quux', $1 || '@example.com', $2, 'US', '1990-01-01', 'verified',
                       'full')""",
            self.customer,
            self.phone,
        )
        await self.database.execute(
            "SELECT accounts.open_account($1, $2, 'USD', 90000000)", self.account, self.customer
        )
        known = {"username": "operator", "password": "password123"}
        session = (await self.api.post("/auth/login", json=known)).json()
        operator = bearer(session["access_token"])
        self.password = self.hide("Password-")
        self.name = f"user-{secrets.token_hex(5)}"
        body = {
            "username": self.name,
            "role": "customer",
            "customer_id": self.customer,
            "password": self.password,
        }
        made = await self.api.post("/v1/users", json=body, headers=operator)
        assert made.status_code == 201, made.text
        given = await self.api.post(f"/v1/users/{made.json()['id']}/password", json={}, headers=operator)
        self.password = self.hide("password", given.json()["password"])

    async def sessions(self) -> None:
        """Logins good and bad, refreshes, a new password."""
        for body in (
            {"username": self.hide("typed-as-name"), "password": self.hide("wrong")},
            {"username": self.name, "password": self.hide("wrong")},
            {"username": self.name, "password": 7, self.hide("member"): 1},
        ):
            assert (await self.api.post("/auth/login", json=body)).status_code in (401, 422)
        await self.sign_in()
        new = self.hide("New-password-")
        body = {"current_password": self.password, "new_password": new}
        assert (await self.api.post("/auth/password", json=body, headers=self.headers)).status_code == 200
        self.password = new
        session = await self.sign_in()
        again = await self.api.post("/auth/refresh", json={"refresh_token": session["refresh_token"]})
        for token in ("access_token", "refresh_token"):
            self.hide(token, again.json()[token])
        reused = await self.api.post("/auth/refresh", json={"refresh_token": session["refresh_token"]})
        assert reused.status_code == 401
        await self.api.post("/auth/refresh", json={"refresh_token": self.hide("refresh")})
        await self.sign_in()

    async def sign_in(self) -> dict[str, Any]:
        """Log in."""
        body = {"username": self.name, "password": self.password}
        session: dict[str, Any] = (await self.api.post("/auth/login", json=body)).json()
        for token in ("access_token", "refresh_token"):
            self.hide(token, session[token])
        self.headers = bearer(session["access_token"])
        return session

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a POST with a new key."""
        headers = self.headers | {"Idempotency-Key": secrets.token_hex(8)}
        answer: dict[str, Any] = (await self.api.post(path, json=body, headers=headers)).json()
        return answer

    async def payments(self) -> None:
        """Small, large with a one-time password, abroad, refused, refunded."""
        order = {"amount": 1500, "currency": "USD", "from_account": self.account, "to_account": "ACC001"}
        small = await self.post("/v1/payments", order)
        assert "id" in small, small
        assert (await self.post(f"/v1/payments/{small['id']}/confirm", {}))["status"] == "succeeded"
        await self.post(f"/v1/payments/{small['id']}/refunds", {})
        bank = {"to_account": self.payee, "to_routing_number": "021000021", "to_name": "Wilma Aldergrove"}
        abroad = await self.post("/v1/payments", order | bank)
        await self.post(f"/v1/payments/{abroad['id']}/confirm", {})
        await self.post("/v1/payments", order | {"to_account": self.hide("nobody")})
        large = await self.post("/v1/payments", order | {"amount": 1_200_000})
        await self.with_code(large["id"])
        for path in (
            f"/v1/accounts/{self.account}",
            f"/v1/accounts/{self.account}/entries",
            f"/v1/accounts/{self.hide('unknown')}",
            f"/v1/accounts?{self.hide('query')}={self.hide('value')}",
            f"/{self.hide('path')}",
            "/v1/payments",
        ):
            await self.api.get(path, headers=self.headers)

    async def with_code(self, payment: str) -> None:
        """Confirm with a wrong and then the right one-time password, under one key."""
        headers = self.headers | {"Idempotency-Key": secrets.token_hex(8)}
        path = f"/v1/payments/{payment}/confirm"
        asked = await self.api.post(path, json={}, headers=headers)
        assert asked.json()["status"] == "requires_action", asked.text
        code = await self.code()
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        self.codes += [code, wrong]
        for otp, status in ((wrong, 422), (code, 200)):
            answer = await self.api.post(path, json={"otp": otp}, headers=headers)
            assert answer.status_code == status, answer.text

    async def code(self) -> str:
        """The newest one-time password that the sandbox has for the customer."""
        for _ in range(50):
            code = await self.database.fetchval(
                """SELECT substring(body FROM '^[0-9]{6}') FROM notification.sandbox_messages
                   WHERE customer_id = $1 AND type = 'OTP_REQUIRED' ORDER BY id DESC LIMIT 1""",
                self.customer,
            )
            if code is not None:
                return str(code)
            await asyncio.sleep(0.1)
        raise AssertionError("no one-time password was sent")

    async def encrypted(self, private: RSAKey) -> None:
        """A payment in a JWE, and ones that cannot be opened."""
        found = (await self.api.get("/.well-known/jwks.json")).json()["keys"]
        (public,) = [key for key in found if key["use"] == "enc"]
        order = {"amount": 1700, "currency": "USD", "from_account": self.account, "to_account": "ACC001"}
        body = self.hide("payload", json.dumps(order)).encode()
        token = seal_jwe(public, body, sub=self.customer, aud="POST /v1/payments")
        self.hide("ciphertext", token.split(".")[3])
        self.hide("content key", content_key(private, token).hex())
        headers = self.headers | {"Content-Type": "application/jose", "Idempotency-Key": key_of(token)}
        answer = await self.api.post("/v1/payments", content=token, headers=headers)
        assert answer.status_code == 201, answer.text
        assert (await self.api.post("/v1/payments", content=token, headers=headers)).status_code == 400
        for text in (self.hide("garbage"), f"{self.hide('part')}.b.c.d.e"):
            assert (await self.api.post("/v1/payments", content=text, headers=headers)).status_code == 400

    async def forged(self) -> None:
        """Tokens that are not good, in every place where one may stand."""
        for text in (self.hide("token"), f"{self.hide('token')}.b.c"):
            for headers in (
                bearer(text),
                {"Authorization": f"Basic {text}"},
                {"Cookie": f"session={text}"},
                {"X-Actor-Token": text},
                {"X-Load-Balancer-Token": text},
            ):
                await self.api.get("/v1/accounts", headers=headers)
                for url in self.inside:
                    await self.api.get(f"{url}/v1/accounts", headers=headers)
        await self.api.post("/auth/logout", headers=self.headers)


class Planted(NamedTuple):
    """Flows that were gone through, from `began` to `done` (Unix time)."""

    flows: Flows
    began: float
    done: float


def forms(value: str) -> Iterator[str]:
    """A canary as it is, and as it would stand in JSON."""
    yield value
    if (escaped := json.dumps(value)[1:-1]) != value:
        yield escaped


def leaks(flows: Flows, texts: dict[str, str]) -> list[str]:
    """What was found where."""
    found = []
    for place, text in texts.items():
        for name, value in flows.hidden.items():
            found += [f"{name} in {place}"] * any(form in text for form in forms(value))
        for code in flows.codes:
            # Not a part of a number, an id or the fraction of a second.
            found += [f"one-time password in {place}"] * bool(re.search(rf"(?<![\w.]){code}(?![\w+])", text))
    return found
