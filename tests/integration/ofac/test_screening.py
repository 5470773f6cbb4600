"""Screening over HTTP: decisions, their record, and lists and rules that change while the service runs."""

import json
import secrets
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest

from hack.dev.stack import Stack
from payments.ofac.sdn import FILES, read
from tests.integration.ofac.conftest import load
from tests.support.internal_calls import Calls, Pool, eventually

SAMPLE = files("payments.ofac.sample")
ROE = b'900901,"ROEVANDER, Quillon",-0- ,"ALPHA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n'


async def test_the_blocked_ids_match_whatever_their_name(ofac: Calls) -> None:
    for customer_id in ("BLOCKED_CUSTOMER_001", "SANCTIONED_ENTITY_002"):
        answer = await ofac.answer("/check-sanctions", {"customer_id": customer_id, "name": "Ann Lee"})
        assert (answer["is_sanctioned"], answer["decision"], answer["score"]) == (True, "match", 1.0)
        assert answer["source"] == "OFAC_SDN_LIST"


async def test_a_decision_is_stored_with_all_that_made_it(ofac: Calls, database: Pool) -> None:
    customer_id = f"cust-{secrets.token_hex(6)}"
    body = {"customer_id": customer_id, "name": "Dmitri Volkarenko", "country": "US", "kind": "individual"}
    answer = await ofac.answer("/check-sanctions", body)
    assert (answer["decision"], answer["is_sanctioned"]) == ("possible_match", False)
    assert answer["matches"][0]["ent_num"] == 900001

    row = await database.fetchrow("SELECT * FROM ofac.decisions WHERE customer_id = $1", customer_id)
    assert row is not None
    content = {name: SAMPLE.joinpath(name).read_bytes() for name in FILES}
    assert row["list_hash"] == read(content).hash
    assert (row["decision"], row["algorithm"]) == ("possible_match", "words-letters-sounds/3")
    assert (float(row["review_threshold"]), float(row["match_threshold"])) == (0.85, 0.95)
    assert float(row["score"]) == answer["score"]
    assert json.loads(row["matches"])[0]["matched_name"] == answer["matches"][0]["matched_name"]
    assert row["reasons"] == answer["reasons"]

    event = await database.fetchrow("SELECT * FROM ofac.outbox WHERE key = $1", customer_id)
    assert event is not None
    assert event["type"] == "sanctions.screened"
    assert "Volkarenko" not in event["payload"]


async def test_a_payee_needs_no_customer(ofac: Calls) -> None:
    answer = await ofac.answer("/check-sanctions", {"customer_id": None, "name": "Cormac O'Dunnaghy"})
    assert (answer["customer_id"], answer["decision"]) == (None, "match")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "a\0b"},
        {"name": "x" * 513},
        {"name": "A", "country": "usa"},
        {"name": "A", "customer_id": "é"},
    ],
)
async def test_bad_requests_are_told(ofac: Calls, body: object) -> None:
    assert (await ofac.post("/check-sanctions", body)).status_code == 422


@pytest.mark.usefixtures("sample_again")
async def test_a_list_that_is_much_smaller_is_refused(ofac: Calls, stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "sdn.csv").write_bytes(ROE)
    done = load(stack, tmp_path)
    assert done.returncode == 2
    assert "the list has 1 entries, the one in force" in done.stderr
    assert (await ofac.answer("/check-sanctions", {"name": "Quillon Roevander"}))["decision"] == "clear"


@pytest.mark.usefixtures("sample_again")
async def test_a_new_list_is_in_force_at_once(ofac: Calls, stack: Stack, tmp_path: Path) -> None:
    person = {"name": "Quillon Roevander"}
    assert (await ofac.answer("/check-sanctions", person))["decision"] == "clear"
    before = (await ofac.get("/version")).json()["version"]
    (tmp_path / "sdn.csv").write_bytes(ROE)
    done = load(stack, tmp_path, "--insist")
    assert done.returncode == 0, done.stderr
    # No waiting: the answer follows the database, not what the process had read.
    assert (await ofac.answer("/check-sanctions", person))["decision"] == "match"
    assert (await ofac.get("/version")).json()["version"] != before
    assert "is in force" in load(stack, tmp_path, "--insist").stdout

    (tmp_path / "sdn.csv").write_bytes(b"<html>moved</html>\n")
    assert load(stack, tmp_path, "--insist").returncode == 2
    assert (await ofac.answer("/check-sanctions", person))["decision"] == "match"


@pytest.mark.usefixtures("sample_again")
async def test_without_a_list_nothing_is_decided(ofac: Calls, database: Pool) -> None:
    await database.execute("UPDATE ofac.list_versions SET active = false")
    response = await ofac.post("/check-sanctions", {"name": "Ann Lee"})
    assert response.status_code == 503
    assert response.json()["detail"] == "No sanctions list is loaded"
    assert (await ofac.get("/version")).status_code == 503

    async def unready() -> bool:
        return (await ofac.get("/ready")).status_code == 503

    await eventually("unready without a list", unready)


async def test_decisions_cannot_be_changed_by_the_service(stack: Stack) -> None:
    host, port = stack.servers.postgres
    connection = await asyncpg.connect(
        host=host, port=port, database=stack.servers.database, user="ofac", password="dev-ofac"
    )
    try:
        for statement in (
            "UPDATE ofac.decisions SET decision = 'clear'",
            "DELETE FROM ofac.decisions",
            "DELETE FROM ofac.rules",
            "UPDATE ofac.rule_entries SET fingerprint = ''",
            "DELETE FROM ofac.flagged",
            "DELETE FROM ofac.refreshes",
            "UPDATE ofac.entries SET name = 'x'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
