"""Holds: money of a payment to another bank, from reservation to posting or release."""

import json

from .conftest import Ledger, unique


async def test_a_hold_keeps_the_money_and_posts_it_with_the_fee(ledger: Ledger) -> None:
    payer = await ledger.open(10_000)
    settlement = (await ledger.balance("internal.settlement.USD"))[0]
    fees = (await ledger.balance("internal.fees.USD"))[0]
    payment = unique("pay")
    held = await ledger.reserve(payer, 4_000, payment=payment)
    assert held.status_code == 200
    assert held.json()["status"] == "held"
    assert held.json()["expires_at"]
    assert (await ledger.reserve(payer, 4_000, payment=payment)).content == held.content
    assert await ledger.balance(payer) == (10_000, 4_250, 5_750)

    posted = await ledger.post(f"/holds/{payment}/post", {"bank_reference": "BNK1"})
    assert posted.status_code == 200
    assert posted.json()["status"] == "posted"
    again = await ledger.post(f"/holds/{payment}/post", {"bank_reference": "BNK1"})
    assert again.content == posted.content
    assert await ledger.balance(payer) == (5_750, 0, 5_750)
    assert (await ledger.balance("internal.settlement.USD"))[0] == settlement + 4_000
    assert (await ledger.balance("internal.fees.USD"))[0] == fees + 250
    assert (await ledger.reserve(payer, 4_000, payment=payment)).json()["status"] == "posted"
    kinds = await ledger.database.fetch(
        "SELECT kind FROM accounts.transfers WHERE payment_id = $1 ORDER BY kind", payment
    )
    assert [row["kind"] for row in kinds] == ["fee", "payment"]
    await ledger.check()


async def test_a_resolved_hold_stays_resolved(ledger: Ledger) -> None:
    payer = await ledger.open(1_000)
    posted, voided = unique("pay"), unique("pay")
    await ledger.reserve(payer, 100, 0, payment=posted)
    await ledger.reserve(payer, 100, 0, payment=voided)
    assert (await ledger.post(f"/holds/{posted}/post", {"bank_reference": "B1"})).status_code == 200
    first = await ledger.post(f"/holds/{voided}/void")
    assert (first.status_code, first.json()["status"]) == (200, "voided")
    assert (await ledger.post(f"/holds/{voided}/void")).content == first.content
    for path, body in (
        (f"/holds/{posted}/void", None),
        (f"/holds/{voided}/post", {"bank_reference": "B2"}),
    ):
        answer = await ledger.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_state")
    other = await ledger.post(f"/holds/{posted}/post", {"bank_reference": "B9"})
    assert (other.status_code, other.json()["code"]) == (422, "payment_mismatch")
    assert await ledger.balance(payer) == (900, 0, 900)
    await ledger.check()


async def test_a_reservation_that_comes_after_its_release_holds_nothing(ledger: Ledger) -> None:
    payer = await ledger.open(1_000)
    payment = unique("pay")
    assert (await ledger.post(f"/holds/{payment}/void")).json()["status"] == "voided"
    late = await ledger.reserve(payer, 100, payment=payment)
    assert (late.status_code, late.json()["code"]) == (409, "illegal_state")
    assert await ledger.balance(payer) == (1_000, 0, 1_000)


async def test_there_is_nothing_to_post_without_a_hold(ledger: Ledger) -> None:
    answer = await ledger.post(f"/holds/{unique('pay')}/post", {"bank_reference": "B"})
    assert (answer.status_code, answer.json()["code"]) == (404, "payment_not_found")


async def test_held_money_cannot_be_spent_and_the_fee_counts(ledger: Ledger) -> None:
    payer, payee = await ledger.open(1_000), await ledger.open()
    refused = await ledger.reserve(payer, 800, 201, payment=unique("pay"))
    assert (refused.status_code, refused.json()["code"]) == (402, "insufficient_funds")
    assert (await ledger.reserve(payer, 800, 200, payment=unique("pay"))).status_code == 200
    assert (await ledger.transfer(payer, payee, 1)).json()["code"] == "insufficient_funds"
    assert await ledger.balance(payer) == (1_000, 1_000, 0)


async def test_what_the_bank_has_paid_is_posted_whatever_became_of_the_account(ledger: Ledger) -> None:
    payer = await ledger.open(1_000)
    payment = unique("pay")
    await ledger.reserve(payer, 500, payment=payment)
    await ledger.database.execute(
        "UPDATE accounts.accounts SET status = 'frozen' WHERE account_number = $1", payer
    )
    assert (await ledger.reserve(payer, 1, payment=unique("pay"))).json()["code"] == "account_frozen"
    assert (await ledger.post(f"/holds/{payment}/post", {"bank_reference": "B"})).status_code == 200
    assert await ledger.balance(payer) == (250, 0, 250)


async def test_only_the_owner_reserves(ledger: Ledger) -> None:
    payer = await ledger.open(1_000, customer="holder-1")
    body = {
        "payment_id": unique("pay"),
        "account_number": payer,
        "amount": 1,
        "fee": 0,
        "currency": "USD",
    }
    stranger = await ledger.post("/reserve-funds", body, actor="stranger")
    assert (stranger.status_code, stranger.json()["code"]) == (404, "account_not_found")
    assert (await ledger.post("/reserve-funds", body, actor="holder-1")).status_code == 200
    # Another amount under the same payment is no repeat.
    other = await ledger.post("/reserve-funds", body | {"amount": 2}, actor="holder-1")
    assert (other.status_code, other.json()["code"]) == (422, "payment_mismatch")


async def test_each_step_writes_its_event(ledger: Ledger) -> None:
    payer = await ledger.open(1_000)
    posted, voided = unique("pay"), unique("pay")
    for payment in (posted, voided):
        await ledger.reserve(payer, 10, 5, payment=payment)
    await ledger.post(f"/holds/{posted}/post", {"bank_reference": "BNK7"})
    await ledger.post(f"/holds/{voided}/void")
    rows = await ledger.database.fetch(
        "SELECT key, type, payload FROM accounts.outbox WHERE key = ANY($1) ORDER BY id", [posted, voided]
    )
    assert [row["type"] for row in rows if row["key"] == posted] == [
        "hold.created",
        "transfer.posted",
        "transfer.posted",
        "hold.posted",
    ]
    assert [row["type"] for row in rows if row["key"] == voided] == ["hold.created", "hold.voided"]
    assert all(payer not in row["payload"] for row in rows)
    (done,) = [json.loads(row["payload"]) for row in rows if row["type"] == "hold.posted"]
    assert (done["amount"], done["fee"], done["bank_reference"]) == (10, 5, "BNK7")
