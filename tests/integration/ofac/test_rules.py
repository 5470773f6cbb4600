"""What operators decide holds for later screenings, is on record and is told."""

import asyncio
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.internal_calls import Calls, Pool

MATCH = "Cormac O'Dunnaghy"
ENTRY = 900009


def unique() -> str:
    return f"cust-{secrets.token_hex(6)}"


async def decision(ofac: Calls, customer_id: str | None, name: str = MATCH) -> str:
    return str(
        (await ofac.answer("/check-sanctions", {"customer_id": customer_id, "name": name}))["decision"]
    )


async def make(ofac: Calls, key: str | None = None, **rule: Any) -> dict[str, Any]:
    rule.setdefault("reason", "another person")
    response = await ofac.post(
        "/v1/screening/rules", rule, caller="api-gateway", actor="operator", key=key or secrets.token_hex(8)
    )
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def end(ofac: Calls, rule: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/screening/rules/{rule['id']}"
    response = await ofac.delete(path, caller="api-gateway", actor="operator", reason="no longer true")
    assert response.status_code == 200, response.text
    ended: dict[str, Any] = response.json()
    return ended


async def test_a_block_wins_over_an_allow_and_both_end(ofac: Calls) -> None:
    customer = unique()
    versions = [(await ofac.get("/version")).json()["version"]]

    async def changed() -> None:
        versions.append((await ofac.get("/version")).json()["version"])

    assert await decision(ofac, customer) == "match"
    allow = await make(ofac, action="allow", customer_id=customer, entries=[ENTRY])
    await changed()
    assert await decision(ofac, customer) == "clear"
    assert await decision(ofac, unique()) == "match"
    block = await make(ofac, action="block", customer_id=customer)
    await changed()
    assert await decision(ofac, customer) == "match"
    assert await decision(ofac, customer, "Ann Lee") == "match"
    ended = await end(ofac, block)
    assert (ended["in_force"], ended["revoke_reason"]) == (False, "no longer true")
    assert await end(ofac, block) == ended
    await changed()
    assert await decision(ofac, customer) == "clear"
    await end(ofac, allow)
    await changed()
    assert await decision(ofac, customer) == "match"
    assert len(set(versions)) == len(versions)


async def test_an_allow_of_a_name_is_for_that_name_in_any_order(ofac: Calls) -> None:
    name = "Quorlan Vexidar"
    rule = await make(ofac, action="block", name=name)
    assert await decision(ofac, None, "VEXIDAR, Quorlan") == "match"
    assert await decision(ofac, unique(), "Quorlan Vexidar") == "match"
    assert await decision(ofac, None, "Quorlan Vexidars") == "clear"
    await end(ofac, rule)
    allow = await make(ofac, action="allow", name=MATCH, entries=[ENTRY])
    assert await decision(ofac, None, "O'DUNNAGHY, Cormac") == "clear"
    assert await decision(ofac, None, "Cormac O'Dunnagy") != "clear"
    await end(ofac, allow)


async def test_a_rule_ends_by_itself_and_caches_hear_of_it(ofac: Calls) -> None:
    customer = unique()
    soon = datetime.now(UTC) + timedelta(seconds=1.5)
    await make(ofac, action="allow", customer_id=customer, entries=[ENTRY], expires_at=soon.isoformat())
    assert await decision(ofac, customer) == "clear"
    before = (await ofac.get("/version")).json()["version"]
    await asyncio.sleep(1.6)
    assert await decision(ofac, customer) == "match"
    assert (await ofac.get("/version")).json()["version"] != before


async def test_a_rule_is_on_record_and_told(ofac: Calls, database: Pool) -> None:
    customer, key = unique(), secrets.token_hex(8)
    rule = await make(ofac, key, action="allow", customer_id=customer, entries=[ENTRY], reason="born 1990")
    assert (
        await make(ofac, key, action="allow", customer_id=customer, entries=[ENTRY], reason="born 1990")
        == rule
    )
    again = {"action": "block", "customer_id": customer, "reason": "x"}
    reused = await ofac.post("/v1/screening/rules", again, caller="api-gateway", actor="operator", key=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    await end(ofac, rule)

    listed = await ofac.get(
        "/v1/screening/rules", caller="api-gateway", actor="auditor", customer_id=customer
    )
    (shown,) = listed.json()["data"]
    assert (shown["id"], shown["entries"], shown["reason"]) == (rule["id"], [ENTRY], "born 1990")
    assert shown["made_by"]
    rows = await database.fetch("SELECT type, payload FROM ofac.outbox WHERE key = $1 ORDER BY id", customer)
    assert [row["type"] for row in rows] == ["sanctions.rule_created", "sanctions.rule_revoked"]
    told = json.loads(rows[0]["payload"])
    assert (told["rule_id"], told["entries"], told["by"]) == (rule["id"], [ENTRY], shown["made_by"])
    assert "born" not in rows[0]["payload"]


async def test_decisions_are_told_with_all_that_made_them(ofac: Calls, database: Pool) -> None:
    customer = unique()
    rule = await make(ofac, action="allow", customer_id=customer, entries=[ENTRY])
    assert await decision(ofac, customer) == "clear"
    await end(ofac, rule)
    assert await decision(ofac, customer) == "match"
    path = "/v1/screening/decisions"
    answer = (await ofac.get(path, caller="api-gateway", actor="operator", customer_id=customer)).json()
    latest, first = answer["data"]
    assert (latest["decision"], first["decision"], first["rules"]) == ("match", "clear", [rule["id"]])
    active = await database.fetchrow("SELECT id, hash FROM ofac.list_versions WHERE active")
    assert active is not None
    assert (latest["list_version"], latest["list_hash"]) == (active["id"], active["hash"])
    assert (latest["algorithm"], latest["algorithm_version"]) == ("words-letters-sounds", "3")
    assert (latest["review_threshold"], latest["match_threshold"], latest["score"]) == (0.85, 0.95, 1.0)
    assert latest["matches"][0]["ent_num"] == ENTRY
    one = await ofac.get(f"{path}/{latest['id']}", caller="api-gateway", actor="operator")
    assert one.json() == latest
    older = await ofac.get(
        path, caller="api-gateway", actor="operator", customer_id=customer, starting_after=latest["id"]
    )
    assert [item["id"] for item in older.json()["data"]] == [first["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "allow", "customer_id": "c", "reason": "r"}, "entries"),
        ({"action": "allow", "customer_id": "c", "reason": "r", "entries": [1]}, "entries"),
        ({"action": "block", "customer_id": "c", "reason": "r", "entries": [ENTRY]}, "entries"),
        ({"action": "block", "customer_id": "c", "reason": " "}, "reason"),
        ({"action": "block", "customer_id": "c"}, "reason"),
        ({"action": "block", "reason": "r"}, "customer_id"),
        ({"action": "block", "customer_id": "c", "name": "n", "reason": "r"}, "customer_id"),
        ({"action": "block", "name": "...", "reason": "r"}, "name"),
        (
            {"action": "block", "customer_id": "c", "reason": "r", "expires_at": "2020-01-01T00:00:00Z"},
            "expires_at",
        ),
        ({"action": "forgive", "customer_id": "c", "reason": "r"}, "action"),
    ],
)
async def test_rules_that_make_no_sense_are_refused(ofac: Calls, body: dict[str, Any], field: str) -> None:
    response = await ofac.post(
        "/v1/screening/rules", body, caller="api-gateway", actor="operator", key=secrets.token_hex(8)
    )
    assert response.status_code == 422
    assert field in {error["field"] for error in response.json()["errors"]}


async def test_only_operators_decide_and_only_staff_look(ofac: Calls) -> None:
    body = {"action": "block", "customer_id": unique(), "reason": "r"}
    for actor in ("customer", "auditor"):
        denied = await ofac.post("/v1/screening/rules", body, caller="api-gateway", actor=actor, key="k")
        assert denied.status_code == 403
        denied = await ofac.delete("/v1/screening/rules/x", caller="api-gateway", actor=actor)
        assert denied.status_code == 403
    for path in ("rules", "decisions", "rescreenings", "rescreenings/1", "rescreenings/1/customers", "list"):
        assert (
            await ofac.get(f"/v1/screening/{path}", caller="api-gateway", actor="customer")
        ).status_code == 403
        assert (await ofac.get(f"/v1/screening/{path}", caller="api-gateway")).status_code == 401
