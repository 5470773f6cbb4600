"""Secrets and account numbers go through every flow, and are then looked for wherever they must not be."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from joserfc.jwk import RSAKey

from hack.dev.catalog import environment, python
from hack.dev.processes import wait_for
from hack.dev.stack import Stack
from payments.contracts.event import TOPICS
from tests.integration.gateway.conftest import Gateways, bearer, free_port, login
from tests.support.internal_calls import eventually
from tests.support.sealing import content_key, key_of, seal_jwe

Database: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
# These run again beside the stack's own, with everything in their logs that they can write.
TALKATIVE = ("account-service", "otp-service", "confirm-service")


def canary(what: str) -> str:
    """A word that stands nowhere else."""
    return f"{what}{secrets.token_hex(8)}"


@pytest.fixture(scope="module")
async def url(running: Stack, gateways: Gateways) -> str:
    """A gateway, and services behind it, that log at DEBUG."""
    ports = dict(running.ports)
    for name in TALKATIVE:
        ports[name] = free_port()
        values = environment(running.services[name], running.identity, running.servers, ports)
        process = f"{name}-{ports[name]}"
        gateways.processes.start(process, [python(), "-m", "payments.run"], values | {"LOG_LEVEL": "DEBUG"})
        ready = f"http://127.0.0.1:{ports[name]}/ready"
        await asyncio.to_thread(wait_for, ready, seconds=120, alive=gateways.processes)
    gateway = await gateways.start(
        LOG_LEVEL="DEBUG",
        CONFIRM_SERVICE_URL=f"http://127.0.0.1:{ports['confirm-service']}",
        ACCOUNT_SERVICE_URL=f"http://127.0.0.1:{ports['account-service']}",
        AUDIT_SERVICE_URL=running.url("audit-service"),
    )
    return gateway.url


@pytest.fixture
async def api(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that gateway."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield client


class Flows:
    """Everything a person can do, with canaries noted in `hidden`."""

    def __init__(self, api: httpx.AsyncClient, running: Stack, database: Database) -> None:
        self.api = api
        self.running = running
        self.database = database
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
        operator = bearer((await login(self.api, "operator"))["access_token"])
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
        sandbox = f"{self.running.url('notification-service')}/sandbox/messages"
        messages = (await self.api.get(sandbox, params={"to": self.phone})).json()["messages"]
        code = next(found[0] for item in messages if (found := re.search(r"\b\d{6}\b", item["body"])))
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        self.codes += [code, wrong]
        for otp, status in ((wrong, 422), (code, 200)):
            answer = await self.api.post(path, json={"otp": otp}, headers=headers)
            assert answer.status_code == status, answer.text

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
                for service in TALKATIVE:
                    await self.api.get(f"{self.running.url(service)}/v1/accounts", headers=headers)
        await self.api.post("/auth/logout", headers=self.headers)


def forms(value: str) -> Iterator[str]:
    """A canary as it is, and as it would stand in JSON."""
    yield value
    yield json.dumps(value)[1:-1]


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


async def kafka(servers: str) -> dict[str, str]:
    """All there is on all topics."""
    consumer = AIOKafkaConsumer(
        *TOPICS, bootstrap_servers=servers, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        texts: dict[str, str] = dict.fromkeys(TOPICS, "")
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                texts[partition.topic] += "\n".join(
                    f"{record.key!r} {(record.value or b'').decode()} {record.headers!r}"
                    for record in records
                )
        return texts
    finally:
        await consumer.stop()


async def tables(database: Database) -> dict[str, str]:
    """Outboxes, the audit trail and deliveries."""
    rows = await database.fetch(
        "SELECT table_schema AS schema, table_name AS name FROM information_schema.tables WHERE table_type ="
        " 'BASE TABLE' AND (table_name IN ('outbox', 'deliveries') OR table_schema = 'audit')"
    )
    texts = {}
    for row in rows:
        place = f"{row['schema']}.{row['name']}"
        found = await database.fetch(
            f'SELECT to_jsonb(t)::text AS row FROM "{row["schema"]}"."{row["name"]}" t'
        )
        texts[place] = "\n".join(item["row"] for item in found)
    return texts


async def test_secrets_and_account_numbers_stay_where_they_belong(
    api: httpx.AsyncClient, running: Stack, gateways: Gateways, database: Database, log_folder: Path
) -> None:
    flows = Flows(api, running, database)
    await flows.set_up()
    await flows.sessions()
    await flows.payments()
    private = json.loads((running.identity.root / "encryption/private.jwks.json").read_text())["keys"][0]
    await flows.encrypted(RSAKey.import_key(private))
    await flows.forged()

    async def drained() -> bool:
        return not await database.fetchval(
            "SELECT EXISTS (SELECT FROM gateway.outbox WHERE published_at IS NULL)"
            " OR EXISTS (SELECT FROM payments.outbox WHERE published_at IS NULL)"
            " OR EXISTS (SELECT FROM accounts.outbox WHERE published_at IS NULL)"
            " OR EXISTS (SELECT FROM otp.outbox WHERE published_at IS NULL)"
        )

    await eventually("all events are sent", drained, seconds=30)
    logs = {
        f"log {path.name}": path.read_text(errors="replace")
        for folder in (log_folder, gateways.log_folder)
        for path in folder.glob("*.log")
    }
    assert {name.removesuffix(".log").removeprefix("log ") for name in logs} >= set(running.services)
    texts = logs | await kafka("{}:{}".format(*running.servers.kafka)) | await tables(database)
    looked = sum(len(text) for text in texts.values())
    assert flows.customer in texts["payment-events"] and flows.customer in texts["gateway.outbox"]
    assert any('"path":"/v1/accounts/{number}"' in text for text in logs.values()), (
        "nothing was logged at all"
    )
    found = leaks(flows, texts)
    canaries = len(flows.hidden) + len(flows.codes)
    print(f"{canaries} canaries, {len(texts)} places, {looked} characters: {found}")  # noqa: T201
    assert found == []
