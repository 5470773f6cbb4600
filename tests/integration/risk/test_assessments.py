"""Assessments over HTTP with the real peers: what a warm one asks, and what happens when a peer is away."""

import secrets
from typing import Any

from hack.dev.stack import Stack
from tests.support.internal_calls import Calls, Pool, ensure, eventually


def question(customer_id: str = "cust_001", **more: Any) -> dict[str, Any]:
    return {
        "payment_id": "p1",
        "customer_id": customer_id,
        "amount": 1000,
        "currency": "USD",
        "payments_24h": 0,
        "to_name": None,
    } | more


async def new_customer(database: Pool, name: str = "Ada Test") -> str:
    customer_id = f"cust-{secrets.token_hex(6)}"
    await database.execute(
        "INSERT INTO kyc.customers (customer_id, name, status) VALUES ($1, $2, 'verified')", customer_id, name
    )
    return customer_id


async def test_the_answer_explains_itself(risk: Calls) -> None:
    answer = await risk.answer("/assess-risk", question(amount=1_200_000, payments_24h=6))
    version = answer["sanctions"].pop("list_version")
    assert isinstance(version, int)
    assert len(answer.pop("rules_version")) == 12
    assert answer == {
        "payment_id": "p1",
        "customer_id": "cust_001",
        "risk_score": 75,
        "risk_level": "HIGH",
        "decision": "allow",
        "reasons": ["amount_over_5000", "amount_over_10000", "more_than_5_payments_in_24h"],
        "factors": {"amount": True, "frequency": True, "sanctions": False, "kyc_verified": True},
        "kyc": {"status": "verified", "level": "full", "version": answer["kyc"]["version"]},
        "sanctions": {"decision": "clear", "score": 0.0},
        "simulated": {
            "score": 75,
            "level": "HIGH",
            "decision": "allow",
            "reasons": ["amount_over_5000", "amount_over_10000", "more_than_5_payments_in_24h"],
        },
        "facts": {
            "amount": "12000.00",
            "currency": "USD",
            "verified": True,
            "sanctions": "clear",
            "payments_24h": 6,
            "over_review_limit": False,
            "to_other_bank": False,
            "kyc_level": "full",
            "country": "US",
        },
    }


async def test_velocity_is_part_of_the_facts(risk: Calls) -> None:
    before = {
        "payments_1h": 1,
        "payments_7d": 12,
        "sum_1h": 100,
        "sum_24h": 2_500_000,
        "sum_7d": 9_900_000,
        "new_payee": True,
    }
    answer = await risk.answer("/assess-risk", question(amount=100_100, velocity=before))
    assert (answer["risk_score"], answer["reasons"]) == (0, [])
    assert answer["simulated"]["reasons"] == ["over_20000_in_24h", "new_payee_over_1000"]
    assert answer["facts"]["sum_7d"] == "99000.00"


async def test_sanctioned_and_unverified_customers_are_refused(risk: Calls) -> None:
    for customer_id, score, reason in (
        ("BLOCKED_CUSTOMER_001", 100, "sanctioned"),
        ("SANCTIONED_ENTITY_002", 100, "sanctioned"),
        ("cust_004", 40, "kyc_not_verified"),
        (f"nobody-{secrets.token_hex(4)}", 40, "kyc_not_verified"),
    ):
        answer = await risk.answer("/assess-risk", question(customer_id))
        assert (answer["decision"], answer["risk_score"]) == ("refuse", score)
        assert reason in answer["reasons"]


async def test_a_listed_payee_is_refused_and_a_similar_one_reviewed(risk: Calls) -> None:
    answer = await risk.answer("/assess-risk", question(to_name="Cormac O'Dunnaghy"))
    assert (answer["decision"], answer["factors"]["sanctions"]) == ("refuse", True)
    answer = await risk.answer("/assess-risk", question(to_name="Dmitri Volkarenko"))
    assert answer["decision"] == "review"


async def test_a_change_of_a_customer_is_followed_within_seconds(risk: Calls, database: Pool) -> None:
    customer_id = await new_customer(database)
    assert (await risk.answer("/assess-risk", question(customer_id)))["decision"] == "allow"
    await database.execute("UPDATE kyc.customers SET status = 'rejected' WHERE customer_id = $1", customer_id)

    async def refused() -> bool:
        return bool((await risk.answer("/assess-risk", question(customer_id)))["decision"] == "refuse")

    await eventually("the rejection is seen", refused, seconds=4)


async def test_a_warm_assessment_makes_no_call_and_a_cold_peer_closes_the_way(
    risk: Calls, stack: Stack, database: Pool
) -> None:
    customer_id = await new_customer(database)

    async def decisions() -> int:
        return int(
            await database.fetchval("SELECT count(*) FROM ofac.decisions WHERE customer_id = $1", customer_id)
        )

    async def warm() -> bool:
        before = await decisions()
        await risk.answer("/assess-risk", question(customer_id))
        return before > 0 and before == await decisions()

    await eventually("the caches are warm", warm)
    screened = await decisions()
    for peer in ("kyc-service", "ofac-service"):
        stack.processes.kill(peer)
    try:
        assert (await risk.answer("/assess-risk", question(customer_id)))["decision"] == "allow"

        async def closed() -> bool:
            return (await risk.post("/assess-risk", question(customer_id))).status_code == 503

        await eventually("the caches are too old to use", closed, seconds=7)
        problem = (await risk.post("/assess-risk", question(customer_id))).json()
        assert (problem["code"], problem["retryable"]) == ("service_unavailable", True)
        assert (await risk.get("/ready")).status_code == 200
    finally:
        ensure(stack, "kyc-service", "ofac-service")

    async def open_again() -> bool:
        return (await risk.post("/assess-risk", question(customer_id))).status_code == 200

    await eventually("assessments go on", open_again)
    assert await decisions() >= screened


async def test_bad_requests_are_told(risk: Calls) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {"amount": 0},
        {"amount": 1.5},
        {"currency": "XXX"},
        {"payments_24h": -1},
        {"customer_id": "a\0b"},
        {"to_name": "x\0y"},
        {"velocity": {}},
    )
    for change in changes:
        response = await risk.post("/assess-risk", question(**change))
        assert response.status_code == 422, change
        assert response.json()["errors"]
