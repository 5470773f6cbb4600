"""When another list comes into force, all customers are screened again: each once, and none is lost."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hack.dev.stack import Stack
from tests.integration.ofac.conftest import NAME, Instances, Invented, invented, load
from tests.support.internal_calls import Calls, Pool, ensure, eventually
from tests.support.sanctions.people import Person

CUSTOMERS = 60


@pytest.fixture
async def customers(database: Pool, stack: Stack) -> AsyncIterator[str]:
    """Customers of a prefix of their own, nobody of them on any list; they go with the test."""
    ensure(stack, "kyc-service")
    prefix = f"rescreen-{secrets.token_hex(4)}"
    await database.executemany(
        "INSERT INTO kyc.customers (customer_id, name, kind, status)"
        " VALUES ($1, $2, 'individual', 'verified')",
        [(f"{prefix}-{n:03d}", f"Plain Person {n}") for n in range(CUSTOMERS)],
    )
    yield prefix
    await database.execute("DELETE FROM kyc.customers WHERE customer_id LIKE $1", f"{prefix}%")


async def rename(database: Pool, made: Invented, prefix: str, *numbers: int) -> dict[str, int]:
    """Give customers the names of listed people: entry by customer."""
    people = [entry for entry in made.entries if isinstance(entry.name, Person) and entry.country is None]
    given = {}
    for number, entry in zip(numbers, people, strict=False):
        assert isinstance(entry.name, Person)
        customer = f"{prefix}-{number:03d}"
        await database.execute(
            "UPDATE kyc.customers SET name = $2 WHERE customer_id = $1", customer, entry.name.natural
        )
        given[customer] = entry.number
    return given


async def done(database: Pool) -> int:
    """The list in force, once all customers have been screened against it."""

    async def finished() -> bool:
        return bool(
            await database.fetchval(
                "SELECT EXISTS (SELECT FROM ofac.rescreenings r JOIN ofac.list_versions l ON l.id = r.list_id"
                " WHERE l.active AND r.state = 'done')"
            )
        )

    await eventually("a rescreening", finished, seconds=30)
    return int(await database.fetchval("SELECT id FROM ofac.list_versions WHERE active"))


async def flagged_events(database: Pool, prefix: str) -> list[tuple[str, int]]:
    rows = await database.fetch(
        "SELECT key, payload FROM ofac.outbox WHERE type = 'customer.flagged' AND key LIKE $1 ORDER BY id",
        f"{prefix}%",
    )
    return [(row["key"], json.loads(row["payload"])["list_id"]) for row in rows]


async def report(ofac: Calls, list_id: int, prefix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report of a list and, by customer, whom of the test's customers it flagged."""
    path = f"/v1/screening/rescreenings/{list_id}"
    told = (await ofac.get(path, caller="api-gateway", actor="auditor")).json()
    flagged: dict[str, Any] = {}
    after = ""
    while True:
        params = {"starting_after": after} if after else {}
        answer = await ofac.get(f"{path}/customers", caller="api-gateway", actor="auditor", limit=2, **params)
        page = answer.json()
        flagged |= {item["customer_id"]: item for item in page["data"]}
        if not page["has_more"]:
            break
        after = page["data"][-1]["customer_id"]
    return told, {customer: item for customer, item in flagged.items() if customer.startswith(prefix)}


@pytest.mark.usefixtures("sample_again")
async def test_a_new_list_finds_customers_once_and_their_next_payment_is_caught(
    ofac: Calls, database: Pool, stack: Stack, customers: str, tmp_path: Path
) -> None:
    made = invented(tmp_path, seed=11, size=200)
    meant = await rename(database, made, customers, 5, 17)
    before = (await ofac.get("/version")).json()["version"]
    assert load(stack, tmp_path).returncode == 0
    first = await done(database)
    total = await database.fetchval("SELECT count(*) FROM kyc.customers")

    told, flagged = await report(ofac, first, customers)
    assert (told["state"], told["screened"]) == ("done", total)
    assert set(flagged) == set(meant)
    assert all(meant[customer] in item["entries"] for customer, item in flagged.items())
    assert all(item["newly"] for item in flagged.values())
    assert told["flagged"] == await database.fetchval(
        "SELECT count(*) FROM ofac.flagged WHERE list_id = $1", first
    )
    assert await flagged_events(database, customers) == [(customer, first) for customer in sorted(meant)]
    assert (await ofac.get("/version")).json()["version"] != before
    for customer in meant:
        name = await database.fetchval("SELECT name FROM kyc.customers WHERE customer_id = $1", customer)
        answer = await ofac.answer("/check-sanctions", {"customer_id": customer, "name": name})
        assert answer["decision"] != "clear"
        path = "/v1/screening/decisions"
        decisions = await ofac.get(path, caller="api-gateway", actor="operator", customer_id=customer)
        assert [item["occasion"] for item in decisions.json()["data"]] == ["payment", "rescreening"]

    # The same customers on the next list are no news; another one is.
    more = await rename(database, made, customers, 5, 17, 30)
    (tmp_path / "sdn.csv").write_bytes((tmp_path / "sdn.csv").read_bytes().replace(b"MADE-UP", b"MADE-OVER"))
    assert load(stack, tmp_path).returncode == 0
    second = await done(database)
    assert second > first
    _, flagged = await report(ofac, second, customers)
    assert {customer: item["newly"] for customer, item in flagged.items()} == {
        customer: customer not in meant for customer in more
    }
    news = (set(more) - set(meant)).pop()
    assert (await flagged_events(database, customers))[len(meant) :] == [(news, second)]
    rows = await database.fetch(
        "SELECT payload FROM ofac.outbox WHERE type = 'sanctions.rescreened' AND key = $1", f"list-{second}"
    )
    assert [json.loads(row["payload"])["screened"] for row in rows] == [total]
    listed = await ofac.get("/v1/screening/rescreenings", caller="api-gateway", actor="auditor", limit=2)
    assert [item["list_version"] for item in listed.json()["data"]] == [second, first]


@pytest.mark.usefixtures("sample_again")
async def test_a_killed_rescreening_goes_on_where_it_was(
    ofac: Calls,
    database: Pool,
    stack: Stack,
    customers: str,
    instances: Instances,
    tmp_path: Path,
) -> None:
    del ofac
    stack.processes.kill(NAME)
    made = invented(tmp_path, seed=12, size=200)
    meant = await rename(database, made, customers, *range(0, CUSTOMERS, 3))
    assert load(stack, tmp_path).returncode == 0
    kills = 0
    for _ in range(3):
        await instances.start(RESCREENING_BATCH="2")
        await asyncio.sleep(secrets.randbelow(400) / 1000)
        instances.kill()
        kills += 1
    reached = await database.fetchval("SELECT max(screened) FROM ofac.rescreenings WHERE state = 'running'")
    progress = f"{kills} kills, {reached} screened by then"
    # Two at a time: no customer is screened twice.
    stack.start([NAME])
    await instances.start(RESCREENING_BATCH="3")
    list_id = await done(database)
    total = await database.fetchval("SELECT count(*) FROM kyc.customers")
    row = await database.fetchrow(
        "SELECT screened, flagged FROM ofac.rescreenings WHERE list_id = $1", list_id
    )
    assert row is not None
    assert row["screened"] == total, progress
    assert sorted(await flagged_events(database, customers)) == [(c, list_id) for c in sorted(meant)], (
        progress
    )


async def test_customers_are_told_to_ofac_service_only(stack: Stack, ofac: Calls, customers: str) -> None:
    kyc = Calls(stack, ofac.identity, ofac.http, "kyc-service", "ofac-service")
    first = (await kyc.get("/customers", limit=5, starting_after=f"{customers}-0")).json()
    assert [item["customer_id"] for item in first["customers"]] == [f"{customers}-{n:03d}" for n in range(5)]
    assert set(first["customers"][0]) == {"customer_id", "name", "kind", "country", "date_of_birth"}
    assert first["has_more"] is True
    assert (await kyc.get("/customers", caller="risk-service")).status_code == 403
    for limit in ("0", "1001", "x", "-1"):
        assert (await kyc.get("/customers", limit=limit)).status_code == 422
