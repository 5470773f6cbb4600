"""The endpoints' own life: limits, owners, keys, what is refused, what is kept of secrets."""

import asyncio
import secrets
from typing import Any

import pytest

from tests.integration.webhooks.conftest import System

ENDPOINTS = "/v1/webhook_endpoints"
HOOK = {"url": "http://127.0.0.1:9/x", "enabled_events": ["payment.*"]}


async def test_a_secret_is_shown_once_and_its_creation_is_one_however_often_it_is_asked(
    system: System,
) -> None:
    merchant, key = await system.merchant(), secrets.token_hex(8)
    answers = await asyncio.gather(
        *(system.call("POST", ENDPOINTS, HOOK, actor=merchant.id, key=key) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum(answer.headers.get("Idempotent-Replayed") == "true" for answer in answers) == 7
    made = answers[0].json()
    assert made["secret"].startswith("whsec_") and len(made["secret"]) == 6 + 44
    assert answers[0].headers["Location"] == f"{ENDPOINTS}/{made['id']}"
    listed = (await system.call("GET", ENDPOINTS, actor=merchant.id)).json()
    shown = (await system.call("GET", f"{ENDPOINTS}/{made['id']}", actor=merchant.id)).json()
    assert listed == {"object": "list", "data": [shown], "has_more": False}
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    other = await system.call(
        "POST", ENDPOINTS, HOOK | {"url": "http://127.0.0.1:9/y"}, actor=merchant.id, key=key
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_what_is_foreign_does_not_exist(system: System) -> None:
    owner, thief = await system.merchant(), await system.merchant()
    endpoint = await system.endpoint(owner)
    await system.payment(owner)
    await system.receiver.until(owner.path, 1)
    (event,) = system.receiver.events(owner.path)
    own = await system.endpoint(thief, path=f"{thief.path}/own")
    for known in (endpoint["id"], "0199f3a2-7c1e-7a55-b0f4-3d2c6a1e9b70", "nothing"):
        one = f"{ENDPOINTS}/{known}"
        foreign: list[tuple[str, str, Any]] = [
            ("GET", one, None),
            ("PATCH", one, {"status": "disabled"}),
            ("DELETE", one, None),
            ("POST", f"{one}/roll_secret", {}),
            ("POST", f"{one}/test", {}),
            ("GET", f"{one}/deliveries", None),
        ]
        for method, path, body in foreign:
            answer = await system.call(method, path, body, actor=thief.id)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (method, path)
    assert (await system.call("GET", f"/v1/events/{event}", actor=thief.id)).status_code == 404
    stolen = await system.call("POST", f"/v1/events/{event}/replay", {}, actor=thief.id)
    assert stolen.status_code == 404
    mixed = await system.call(
        "POST", f"/v1/events/{event}/replay", {"webhook_endpoint": own["id"]}, actor=owner.id
    )
    assert mixed.status_code == 404
    assert (await system.call("GET", "/v1/events", actor=thief.id)).json()["data"] == []
    assert (await system.call("GET", ENDPOINTS, actor="op-1", role="operator")).status_code == 403
    untouched = (await system.call("GET", f"{ENDPOINTS}/{endpoint['id']}", actor=owner.id)).json()
    assert untouched["status"] == "enabled"


async def test_a_customer_has_sixteen_at_the_most_also_in_a_race(system: System) -> None:
    merchant = await system.merchant()
    answers = await asyncio.gather(
        *(system.call("POST", ENDPOINTS, HOOK, actor=merchant.id) for _ in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 16 + [409] * 4
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"webhook_endpoint_limit"}
    first = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    gone = await system.call("DELETE", f"{ENDPOINTS}/{first}", actor=merchant.id)
    assert gone.json() == {"id": first, "object": "webhook_endpoint", "deleted": True}
    assert (await system.call("POST", ENDPOINTS, HOOK, actor=merchant.id)).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "ftp://shop.example.com/"}, "url"),
        ({"url": "http://user:pass@shop.example.com/"}, "url"),
        ({"url": "http://shop.example.com/#x"}, "url"),
        ({"url": "http://shop.example.com:99999/"}, "url"),
        ({"enabled_events": []}, "enabled_events"),
        ({"enabled_events": ["payment.exploded"]}, "enabled_events"),
        ({"metadata": {"a": 1}}, "metadata[...]"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_cannot_be_is_refused_by_field(system: System, change: dict[str, Any], field: str) -> None:
    merchant = await system.merchant()
    answer = await system.call("POST", ENDPOINTS, HOOK | change, actor=merchant.id)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await system.call("GET", ENDPOINTS, actor=merchant.id)).json()["data"] == []


async def test_a_change_changes_what_it_names_alone(system: System) -> None:
    merchant = await system.merchant()
    made = await system.endpoint(merchant, "payment.*", description="shop", metadata={"a": "1"})
    path = f"{ENDPOINTS}/{made['id']}"
    changed = (await system.call("PATCH", path, {"description": None}, actor=merchant.id)).json()
    assert (changed["description"], changed["metadata"], changed["url"]) == (None, {"a": "1"}, made["url"])
    body = {"enabled_events": ["refund.succeeded"], "metadata": {}, "status": "disabled"}
    changed = (await system.call("PATCH", path, body, actor=merchant.id)).json()
    assert (changed["enabled_events"], changed["metadata"]) == (["refund.succeeded"], {})
    assert (changed["status"], changed["disabled_reason"]) == ("disabled", "customer")
    wrong = await system.call("PATCH", path, {"status": "paused"}, actor=merchant.id)
    assert wrong.json()["errors"][0]["field"] == "status"


async def test_disabling_cancels_what_waits_and_replays_bring_it_back(system: System) -> None:
    merchant = await system.merchant()
    made = await system.endpoint(merchant)
    path = f"{ENDPOINTS}/{made['id']}"
    system.receiver.answers[merchant.path] += [500] * 3
    await system.payment(merchant)
    await system.receiver.until(merchant.path, 1)
    await system.call("PATCH", path, {"status": "disabled"}, actor=merchant.id)
    (canceled,) = await system.settled(made, merchant, "canceled")
    assert await system.deliveries(made, merchant, status="pending") == []
    replay = f"/v1/events/{canceled['event']}/replay"
    refused = await system.call("POST", replay, {}, actor=merchant.id)
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_endpoint_disabled")
    system.receiver.answers[merchant.path].clear()
    await system.call("PATCH", path, {"status": "enabled"}, actor=merchant.id)
    again = await system.call("POST", replay, {"webhook_endpoint": made["id"]}, actor=merchant.id)
    assert again.status_code == 201, again.text
    await system.settled(made, merchant, "delivered")


async def test_lists_page_and_filter(system: System) -> None:
    merchant = await system.merchant()
    made = await system.endpoint(merchant)
    for _ in range(5):
        await system.payment(merchant)
    payment = await system.payment(merchant)
    await system.call("POST", f"/v1/payments/{payment['id']}/cancel", {}, actor=merchant.id)
    await system.settled(made, merchant, "delivered", 7)
    for path in ("/v1/events", f"{ENDPOINTS}/{made['id']}/deliveries"):
        pages, after = [], None
        while True:
            query: dict[str, Any] = {"limit": 3} | ({} if after is None else {"starting_after": after})
            page = (await system.call("GET", path, actor=merchant.id, **query)).json()
            pages.append([item["id"] for item in page["data"]])
            after = pages[-1][-1]
            if not page["has_more"]:
                break
        assert [len(page) for page in pages] == [3, 3, 1]
        assert [one for page in pages for one in page] == sorted({i for p in pages for i in p}, reverse=True)
    canceled = (await system.call("GET", "/v1/events", actor=merchant.id, type="payment.canceled")).json()
    assert [one["data"]["object"]["id"] for one in canceled["data"]] == [payment["id"]]
    one = await system.call("GET", f"/v1/events/{canceled['data'][0]['id']}", actor=merchant.id)
    assert one.json() == canceled["data"][0]
    assert len(await system.deliveries(made, merchant, event_type="payment.canceled")) == 1
    wrong: list[dict[str, Any]] = [{"limit": 0}, {"status": "lost"}, {"event_type": "x"}]
    for query in wrong:
        path = f"{ENDPOINTS}/{made['id']}/deliveries"
        assert (await system.call("GET", path, actor=merchant.id, **query)).status_code == 422


async def test_each_change_is_an_event_of_the_trail_and_no_secret_is_anywhere_else(
    system: System,
) -> None:
    merchant = await system.merchant()
    made = await system.endpoint(merchant)
    path = f"{ENDPOINTS}/{made['id']}"
    rolled = (await system.call("POST", f"{path}/roll_secret", {}, actor=merchant.id)).json()
    await system.call("POST", f"{path}/test", {}, actor=merchant.id)
    await system.settled(made, merchant, "delivered")
    await system.call("PATCH", path, {"description": "x"}, actor=merchant.id)
    await system.call("DELETE", path, actor=merchant.id)
    rows = await system.database.fetch(
        "SELECT type, payload::text FROM payments.outbox WHERE key = $1 ORDER BY id", merchant.id
    )
    assert [row["type"].partition(".")[2] for row in rows] == [
        "created",
        "secret_rolled",
        "updated",
        "deleted",
    ]
    tables = ("outbox", "webhook_events", "webhook_deliveries", "webhook_endpoints")
    for secret in (made["secret"], rolled["secret"]):
        for table in tables:
            found = await system.database.fetchval(
                f"SELECT count(*) FROM payments.{table} AS t WHERE position($1 IN t::text) > 0", secret
            )
            assert found == 0, table
        logs = system.stack.processes.log_folder
        assert logs is not None
        assert all(secret not in file.read_text() for file in logs.glob("*.log"))
    for table in ("webhook_secrets", "idempotency_keys"):
        readers = await system.database.fetch(
            "SELECT rolname FROM pg_roles WHERE NOT rolsuper AND rolname NOT LIKE 'pg\\_%' "
            "AND has_schema_privilege(oid, 'payments', 'USAGE') AND has_table_privilege(oid, $1, 'SELECT')",
            f"payments.{table}",
        )
        assert {row[0] for row in readers} == {"payments"}, table
