"""Returns of completed orders, cancellations before they come in, and the book that nobody rewrites."""

import asyncio

import asyncpg
import pytest

from hack.dev.stack import Stack

from .conftest import Bank


async def test_parts_and_the_rest_never_more(bank: Bank, reference: str) -> None:
    await bank.order(1_000, reference=reference)
    first = await bank.give_back(400, reference=f"{reference}-1", original=reference, reason="damaged")
    assert first.status_code == 200
    body = first.json()
    assert (body["success"], body["status"], body["returned_amount"]) == (True, "COMPLETED", 400)
    assert body["original_reference"] == reference and body["reason"] == "damaged"
    assert (await bank.return_status(f"{reference}-1")).json() == body
    more = (await bank.give_back(601, reference=f"{reference}-2", original=reference)).json()
    assert (more["status"], more["error_code"]) == ("REJECTED", "RETURN_EXCEEDS_ORIGINAL")
    rest = (await bank.give_back(600, reference=f"{reference}-3", original=reference)).json()
    assert rest["status"] == "COMPLETED"
    assert await bank.returned(reference) == 1_000


async def test_returns_at_once_never_exceed_the_order(bank: Bank, reference: str) -> None:
    await bank.order(1_000, reference=reference)
    answers = await asyncio.gather(
        *(bank.give_back(300, reference=f"{reference}-{n}", original=reference) for n in range(20))
    )
    assert sorted(answer.json()["status"] for answer in answers) == ["COMPLETED"] * 3 + ["REJECTED"] * 17
    assert await bank.returned(reference) == 900


async def test_a_repeat_finds_the_first_return(bank: Bank, reference: str) -> None:
    await bank.order(1_000, reference=reference)
    back = f"{reference}-back"
    answers = await asyncio.gather(*(bank.give_back(reference=back, original=reference) for _ in range(20)))
    assert {answer.content for answer in answers} == {answers[0].content}
    assert await bank.returned(reference) == 400
    other = await bank.give_back(401, reference=back, original=reference)
    assert (other.status_code, other.json()["code"]) == (422, "payment_mismatch")


async def test_only_what_was_paid_comes_back(bank: Bank, reference: str) -> None:
    unknown = (await bank.give_back(reference=f"{reference}-1", original=reference)).json()
    assert (unknown["status"], unknown["error_code"]) == ("REJECTED", "ORIGINAL_NOT_FOUND")
    await bank.order(reference=reference, fault="reject")
    rejected = (await bank.give_back(reference=f"{reference}-2", original=reference)).json()
    assert (rejected["status"], rejected["error_code"]) == ("REJECTED", "ORIGINAL_NOT_COMPLETED")
    await bank.order(reference=f"{reference}-eur", currency="EUR")
    mixed = (await bank.give_back(reference=f"{reference}-3", original=f"{reference}-eur")).json()
    assert (mixed["status"], mixed["error_code"]) == ("REJECTED", "CURRENCY_MISMATCH")
    assert (await bank.return_status(f"{reference}-0")).status_code == 404


async def test_a_canceled_order_is_never_taken(bank: Bank, reference: str) -> None:
    for _ in range(2):
        canceled = (await bank.cancel(reference)).json()
        assert (canceled["status"], canceled["error_code"]) == ("REJECTED", "CANCELED")
    late = (await bank.order(reference=reference)).json()
    assert (late["status"], late["error_code"], late["processing_fee"]) == ("REJECTED", "CANCELED", 0)
    assert (await bank.status(reference)).json()["status"] == "REJECTED"


async def test_canceling_changes_nothing_of_an_order_that_came_in(bank: Bank, reference: str) -> None:
    done = await bank.order(reference=reference)
    assert (await bank.cancel(reference)).json() == done.json()
    assert (await bank.order(reference=reference)).json() == done.json()


async def test_an_order_and_its_cancellation_at_once_agree(bank: Bank, reference: str) -> None:
    for n in range(15):
        each = f"{reference}-{n}"
        order, canceled = await asyncio.gather(bank.order(reference=each), bank.cancel(each))
        # A cancellation that comes during the processing finds the order pending.
        assert (canceled.json()["status"] == "REJECTED") == (order.json()["status"] == "REJECTED")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bank.transfers SET amount_minor = 1",
        "DELETE FROM bank.transfers",
        "UPDATE bank.returns SET error_code = NULL",
        "DELETE FROM bank.returns",
        "DELETE FROM bank.cancellations",
        "INSERT INTO bank.cancellations (reference) VALUES ('x')",
        "SELECT * FROM accounts.accounts",
    ],
)
async def test_the_role_of_the_bank_cannot_rewrite_its_book(stack: Stack, statement: str) -> None:
    host, port = stack.servers.postgres
    connection = await asyncpg.connect(
        host=host, port=port, database=stack.servers.database, user="bank", password="dev-bank"
    )
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
