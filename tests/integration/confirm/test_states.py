"""Every action in every state, over HTTP and in the database: what the table forbids is 409 and no change."""

import asyncio
import itertools
import secrets
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from payments.confirm import domain
from payments.confirm.domain import TRANSITIONS, Action, Status
from tests.integration.confirm.conftest import Customer, System

# Actions that somebody asks for, as method and role; the others are the service's own.
ASKED = {
    Action.CONFIRM: ("/v1/payments/{}/confirm", "customer"),
    Action.CANCEL: ("/v1/payments/{}/cancel", "customer"),
    Action.RESEND_OTP: ("/v1/payments/{}/otp", "customer"),
    Action.REFUND: ("/v1/payments/{}/refunds", "customer"),
    Action.APPROVE: ("/v1/reviews/{}/approve", "operator"),
    Action.REJECT: ("/v1/reviews/{}/reject", "operator"),
}
OWN = [action for action in Action if action not in ASKED and action is not Action.EXPIRE]
ILLEGAL = [(s, a) for s, a in itertools.product(Status, Action) if s not in TRANSITIONS[a][0]]


async def payment_that_is(system: System, payer: Customer, payee: Customer, status: Status) -> dict[str, Any]:
    """A payment put into a state by the oracle; nobody works on it."""
    payment = await system.create(payer, payee, 100)
    await system.database.execute(
        """UPDATE payments.payments SET status = $2,
               claim = CASE WHEN $2 = 'processing' THEN 'a test' END,
               next_check_at = CASE WHEN $2 = 'processing' THEN now() + interval '1 day' END,
               processing_since = now(), confirmed_at = now(), reference = $1
           WHERE id = $1""",
        payment["id"],
        status,
    )
    return payment


async def row(system: System, payment: dict[str, Any]) -> Any:
    return await system.database.fetchrow("SELECT * FROM payments.payments WHERE id = $1", payment["id"])


def test_the_table_has_every_action_and_the_test_every_pair() -> None:
    assert set(TRANSITIONS) == set(Action)
    assert len(ILLEGAL) == len(Status) * len(Action) - sum(
        len(sources) for sources, _ in TRANSITIONS.values()
    )


async def test_what_somebody_asks_for_in_the_wrong_state_is_409(
    system: System, record_property: Callable[[str, object], None]
) -> None:
    payer, payee = await system.customer(100_000), await system.customer()
    pairs = [(status, action) for status, action in ILLEGAL if action in ASKED]

    async def ask(status: Status, action: Action) -> None:
        payment = await payment_that_is(system, payer, payee, status)
        before = await row(system, payment)
        path, role = ASKED[action]
        actor = payer.id if role == "customer" else "olga"
        answer: httpx.Response = await system.post(path.format(payment["id"]), actor=actor, role=role)
        problem = answer.json()
        assert answer.status_code == 409, (status, action, answer.text)
        assert problem["code"] in ("illegal_state", "already_succeeded"), (status, action)
        assert problem["payment"]["status"] == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert await row(system, payment) == before, (status, action)

    await asyncio.gather(*(ask(status, action) for status, action in pairs))
    record_property("illegal pairs asked for", len(pairs))


async def test_what_the_service_does_itself_changes_nothing_in_the_wrong_state(system: System) -> None:
    payer, payee = await system.customer(100_000), await system.customer()
    pairs = [(status, action) for status, action in ILLEGAL if action in OWN]

    async def settle(status: Status, action: Action) -> None:
        payment = await payment_that_is(system, payer, payee, status)
        before = await row(system, payment)
        outcome = await system.database.fetchval(
            "SELECT outcome FROM payments.settle($1, $2, $3, $4, 'x', NULL, NULL, $5, NULL)",
            payment["id"],
            before["claim"],
            domain.sources(action),
            f'{{"status": "{domain.target(action)}"}}',
            [secrets.token_hex(8), secrets.token_hex(8)],
        )
        assert outcome == "lost", (status, action)
        assert await row(system, payment) == before, (status, action)

    await asyncio.gather(*(settle(status, action) for status, action in pairs))


async def test_only_what_the_table_names_expires(system: System) -> None:
    payer, payee = await system.customer(100_000), await system.customer()
    made = {status: await payment_that_is(system, payer, payee, status) for status in Status}
    await system.database.execute(
        "UPDATE payments.payments SET expires_at = now() WHERE id = ANY($1)",
        [payment["id"] for payment in made.values()],
    )
    for status in TRANSITIONS[Action.EXPIRE][0]:
        await system.until(made[status], "canceled")
    for status, payment in made.items():
        if status not in TRANSITIONS[Action.EXPIRE][0]:
            assert await system.status(payment) == status


@pytest.mark.parametrize("role", ["operator", "customer"])
async def test_lists_are_filtered(system: System, role: str) -> None:
    payer, payee, other = await system.customer(100_000), await system.customer(), await system.customer()
    made = [await system.create(payer, payee, amount) for amount in (100, 200, 300, 400)]
    elsewhere = await system.create(payer, other, 250)
    actor = payer.id if role == "customer" else "olga"

    async def found(**query: Any) -> list[int]:
        listed = await system.get("/v1/payments", actor=actor, role=role, customer_id=payer.id, **query)
        assert listed.status_code == 200, listed.text
        return [item["amount"] for item in listed.json()["data"]]

    assert await found() == [250, 400, 300, 200, 100]
    assert await found(amount_gte=200, amount_lte=300) == [250, 300, 200]
    assert await found(account=payee.account) == [400, 300, 200, 100]
    assert await found(account=payer.account, amount_gte=250, limit=2) == [250, 400]
    assert await found(account=payer.account, amount_gte=250, starting_after=made[3]["id"]) == [300]
    assert await found(currency="EUR") == []
    assert await found(status="requires_confirmation", account=other.account) == [250]
    assert await found(created_lte=made[1]["created_at"], created_gte=made[0]["created_at"]) in (
        [200, 100],
        [100],
    )
    assert await found(created_gte=elsewhere["created_at"], amount_lte=100) == []


async def test_nobody_but_staff_names_another_customer(system: System) -> None:
    payer, payee = await system.customer(100_000), await system.customer()
    await system.create(payer, payee, 100)
    refused = await system.get("/v1/payments", actor=payee.id, customer_id=payer.id)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "customer_id")
    mine = await system.get("/v1/payments", actor=payee.id, account=payer.account)
    assert mine.json()["data"] == []
    for query in ({"amount_gte": "-1"}, {"amount_lte": "1.5"}, {"currency": "XXX"}, {"account": "a b"}):
        wrong = await system.get("/v1/payments", actor=payer.id, **query)
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, next(iter(query)))
