"""Users come, change and lose their access: at once, on all replicas, with Redis or without."""

import asyncio
import secrets
import subprocess
import time
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import asyncpg
import httpx
import pytest

from hack.dev.catalog import environment, python
from hack.dev.stack import Stack
from tests.integration.gateway.conftest import NAME, Gateway, Gateways, bearer, login
from tests.support.proxy import proxy

Database: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
PASSWORD = "zebra kiosk lantern 42"


@pytest.fixture(scope="module")
async def replicas(gateways: Gateways) -> tuple[Gateway, Gateway]:
    """Two gateways of one platform."""
    first = await gateways.start()
    return first, await gateways.start(prefix=first.prefix)


@pytest.fixture
async def operator(replicas: tuple[Gateway, Gateway]) -> AsyncIterator[httpx.AsyncClient]:
    """An operator at the first replica."""
    async with replicas[0].http() as client:
        client.headers.update(bearer((await login(client, "operator"))["access_token"]))
        yield client


@pytest.fixture
async def others(replicas: tuple[Gateway, Gateway]) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at the second replica, not logged in."""
    async with replicas[1].http() as client:
        yield client


async def new_user(operator: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    body = {
        "username": f"user-{secrets.token_hex(5)}",
        "role": "customer",
        "customer_id": f"cust-{secrets.token_hex(5)}",
        "password": PASSWORD,
    } | more
    answer = await operator.post("/v1/users", json={k: v for k, v in body.items() if v is not None})
    assert answer.status_code == 201, answer.text
    user: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/users/{user['id']}"
    return user


async def sign_in(
    client: httpx.AsyncClient, user: dict[str, Any], password: str = PASSWORD
) -> httpx.Response:
    return await client.post("/auth/login", json={"username": user["username"], "password": password})


async def payments(client: httpx.AsyncClient, token: str) -> int:
    return (await client.get("/v1/payments", headers=bearer(token))).status_code


async def events(database: Database, key: str) -> list[str]:
    rows = await database.fetch("SELECT type FROM gateway.outbox WHERE key = $1 ORDER BY id", key)
    return [row["type"] for row in rows]


async def test_an_operator_makes_a_user_who_can_log_in(
    operator: httpx.AsyncClient, others: httpx.AsyncClient, database: Database
) -> None:
    user = await new_user(operator)
    assert "password" not in user
    token = (await sign_in(others, user)).json()["access_token"]
    assert await payments(others, token) == 200
    assert (await operator.get(f"/v1/users/{user['id']}")).json() == user
    assert await events(database, user["customer_id"]) == ["user.created", "user.logged_in"]
    taken = await operator.post(
        "/v1/users", json={"username": user["username"], "role": "auditor", "password": PASSWORD}
    )
    assert (taken.status_code, taken.json()["code"]) == (409, "username_taken")
    made = await new_user(operator, role="auditor", customer_id=None, password=None)
    assert (await sign_in(others, made, made["password"])).status_code == 200


async def test_all_users_are_listed_page_by_page(operator: httpx.AsyncClient, database: Database) -> None:
    found: list[str] = []
    page: dict[str, Any] = {"has_more": True}
    while page["has_more"]:
        after = f"&starting_after={found[-1]}" if found else ""
        page = (await operator.get(f"/v1/users?limit=3{after}")).json()
        found += [user["id"] for user in page["data"]]
    assert sorted(found) == [
        row[0] for row in await database.fetch("SELECT user_id FROM gateway.users ORDER BY 1")
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"password": "password1234"},
        {"password": "short"},
        {"customer_id": None},
        {"role": "operator"},
        {"role": "root"},
        {"username": "Ada Lovelace"},
        {"username": "x"},
        {"admin": True},
    ],
)
async def test_what_no_user_can_be(operator: httpx.AsyncClient, change: dict[str, Any]) -> None:
    body = {
        "username": "somebody",
        "role": "customer",
        "customer_id": "cust_9",
        "password": PASSWORD,
    } | change
    answer = await operator.post("/v1/users", json={k: v for k, v in body.items() if v is not None})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] in {*change, "customer_id"}
    assert PASSWORD not in answer.text


async def test_customers_and_auditors_administer_nobody(
    operator: httpx.AsyncClient, others: httpx.AsyncClient
) -> None:
    user = await new_user(operator)
    body = {"username": "mallory", "role": "operator", "password": PASSWORD}
    for name, may_read in (("demo", False), ("auditor", True)):
        others.headers.update(bearer((await login(others, name))["access_token"]))
        for method, path, json in (
            ("POST", "/v1/users", body),
            ("PATCH", f"/v1/users/{user['id']}", {"role": "operator"}),
            ("POST", f"/v1/users/{user['id']}/password", {}),
        ):
            assert (await others.request(method, path, json=json)).status_code == 403, (name, path)
        for path in ("/v1/users", f"/v1/users/{user['id']}"):
            assert (await others.get(path)).status_code == (200 if may_read else 403)
    mine = await operator.get("/v1/users/user_operator")
    for path, json in ((f"/v1/users/{mine.json()['id']}", {"status": "disabled"}),):
        assert (await operator.patch(path, json=json)).status_code == 409
    assert (await operator.patch("/v1/users/user_nobody", json={})).status_code == 404


CHANGES = {
    "disabled": ("PATCH", "", {"status": "disabled"}),
    "another role": ("PATCH", "", {"role": "auditor"}),
    "new password": ("POST", "/password", {"password": "another zebra kiosk"}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_access_ends_at_once_everywhere(
    operator: httpx.AsyncClient, others: httpx.AsyncClient, change: tuple[str, str, dict[str, str]]
) -> None:
    user = await new_user(operator)
    sessions = [(await sign_in(client, user)).json() for client in (operator, others)]
    for session in sessions:
        assert await payments(others, session["access_token"]) == 200
    method, path, body = change
    answer = await operator.request(method, f"/v1/users/{user['id']}{path}", json=body)
    assert answer.status_code == 200, answer.text
    for client in (operator, others):
        for session in sessions:
            assert await payments(client, session["access_token"]) == 401
            again = await client.post("/auth/refresh", json={"refresh_token": session["refresh_token"]})
            assert again.status_code == 401
    again = await sign_in(others, user)
    assert again.status_code == (200 if body.get("role") else 401)


async def test_somebody_enabled_again_logs_in_anew(
    operator: httpx.AsyncClient, others: httpx.AsyncClient, database: Database
) -> None:
    user = await new_user(operator)
    old = (await sign_in(others, user)).json()["access_token"]
    for status in ("disabled", "disabled", "active", "active"):
        answer = await operator.patch(f"/v1/users/{user['id']}", json={"status": status})
        assert answer.json()["status"] == status
    assert await payments(others, old) == 401
    new = (await sign_in(others, user)).json()["access_token"]
    assert await payments(others, new) == 200
    told = await events(database, user["customer_id"])
    assert told.count("user.changed") == 2 and told.count("user.sessions_ended") == 1


async def test_a_login_under_way_does_not_outlive_the_change(
    operator: httpx.AsyncClient, others: httpx.AsyncClient
) -> None:
    for _ in range(5):
        user = await new_user(operator)
        disable = operator.patch(f"/v1/users/{user['id']}", json={"status": "disabled"})
        *logins, done = await asyncio.gather(*(sign_in(others, user) for _ in range(6)), disable)
        assert done.status_code == 200
        tokens = [answer.json()["access_token"] for answer in logins if answer.status_code == 200]
        assert [status for token in tokens if (status := await payments(others, token)) != 401] == []


async def test_one_changes_ones_own_password(
    operator: httpx.AsyncClient, others: httpx.AsyncClient, database: Database
) -> None:
    user = await new_user(operator)
    token = (await sign_in(others, user)).json()["access_token"]

    async def change(current: str, new: str) -> httpx.Response:
        body = {"current_password": current, "new_password": new}
        return await others.post("/auth/password", json=body, headers=bearer(token))

    assert (await change("wrong", "another zebra kiosk")).status_code == 401
    assert (await change(PASSWORD, "password1234")).status_code == 422
    assert (await change(PASSWORD, "another zebra kiosk")).status_code == 200
    assert await payments(operator, token) == 401
    assert (await sign_in(others, user)).status_code == 401
    assert (await sign_in(others, user, "another zebra kiosk")).status_code == 200
    stored = await database.fetchval("SELECT password_hash FROM gateway.users WHERE user_id = $1", user["id"])
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_without_redis_a_disabled_user_stays_out(stack: Stack, gateways: Gateways) -> None:
    async with proxy(stack.servers.redis) as cache:
        gateway = await gateways.start(REDIS_PORT=cache.port)
        async with gateway.http() as http:
            admin = bearer((await login(http, "operator"))["access_token"])
            user = await _made_by(http, admin)
            token = (await sign_in(http, user)).json()["access_token"]
            await cache.cut()
            assert await payments(http, token) == 200
            ended = await http.patch(f"/v1/users/{user['id']}", json={"status": "disabled"}, headers=admin)
            assert ended.status_code == 200
            statuses = [await payments(http, token) for _ in range(10)]
            await cache.open()
            end = time.monotonic() + 3
            while time.monotonic() < end:
                statuses.append(await payments(http, token))
                await asyncio.sleep(0.02)
            assert set(statuses) == {401}


async def _made_by(http: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, Any]:
    body = {"username": f"user-{secrets.token_hex(5)}", "role": "customer", "customer_id": "cust_9"}
    made = await http.post("/v1/users", json=body | {"password": PASSWORD}, headers=headers)
    user: dict[str, Any] = made.json()
    return user


def command(stack: Stack, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """`python3 -m payments.gateway.users` with the gateway's environment."""
    variables = environment(stack.services[NAME], stack.identity, stack.servers, stack.ports)
    call = [python(), "-m", "payments.gateway.users", *arguments]
    return subprocess.run(
        call, env=variables, input=stdin, capture_output=True, text=True, timeout=60, check=False
    )


async def test_the_command_makes_the_first_operator_and_ends_sessions(
    stack: Stack, others: httpx.AsyncClient, database: Database
) -> None:
    name = f"op-{secrets.token_hex(4)}"
    weak = command(stack, "create", name, "--role", "operator", "--password-stdin", stdin="password1234\n")
    assert weak.returncode == 1 and "password" in weak.stderr
    made = command(stack, "create", name, "--role", "operator")
    assert made.returncode == 0, made.stderr
    password = made.stdout.strip().rpartition(": ")[2]
    assert command(stack, "create", name, "--role", "operator").returncode == 1
    token = (await sign_in(others, {"username": name}, password)).json()["access_token"]
    assert (await others.get("/v1/users", headers=bearer(token))).status_code == 200
    assert f"{name}\toperator\t-\tactive" in command(stack, "list").stdout
    changed = command(stack, "password", name, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert changed.returncode == 0 and PASSWORD not in changed.stdout + changed.stderr
    await asyncio.sleep(1)  # the command does not tell Redis; the gateways look every half second
    assert (await others.get("/v1/users", headers=bearer(token))).status_code == 401
    assert (await sign_in(others, {"username": name}, PASSWORD)).status_code == 200
    assert command(stack, "disable", name).returncode == 0
    assert (await sign_in(others, {"username": name}, PASSWORD)).status_code == 401
    assert command(stack, "create", name, "--role", "king").returncode == 2
    kept = await database.fetch(
        "SELECT payload::text FROM gateway.outbox WHERE payload->>'by' = 'command line'"
    )
    assert kept and not [row for row in kept if password in row[0] or PASSWORD in row[0]]
