"""Each fault does what it says, and a repeat under the same reference always finds the truth."""

import asyncio
import time

import httpx
import pytest

from payments.partner_bank.faults import NAMES

from .conftest import Bank

LOST = ("lost_request", "lost_reply")


async def send(bank: Bank, reference: str, fault: str | None) -> httpx.Response | None:
    try:
        return await bank.order(reference=reference, fault=fault)
    except httpx.TransportError:
        return None


@pytest.mark.parametrize("fault", NAMES)
async def test_a_repeat_after_any_fault_books_the_order_once(bank: Bank, reference: str, fault: str) -> None:
    answer = await send(bank, reference, fault)
    assert (answer is None) == (fault in LOST)
    if answer is not None:
        assert answer.status_code == (500 if fault.startswith("error") else 200)
    expected = 0 if fault in ("lost_request", "error_before") else 1
    assert await bank.booked(reference) == expected
    assert (await bank.status(reference)).status_code == (200 if expected else 404)
    again = await send(bank, reference, None)
    assert again is not None
    assert again.json()["status"] == ("REJECTED" if fault == "reject" else "COMPLETED")
    assert await bank.booked(reference) == 1


@pytest.mark.parametrize("fault", NAMES)
async def test_a_repeat_after_any_fault_books_the_return_once(bank: Bank, reference: str, fault: str) -> None:
    assert (await bank.order(reference=reference)).status_code == 200
    back = f"{reference}-back"
    try:
        await bank.give_back(reference=back, original=reference, fault=fault)
    except httpx.TransportError:
        assert fault in LOST
    known = fault not in ("lost_request", "error_before")
    assert (await bank.return_status(back)).status_code == (200 if known else 404)
    again = await bank.give_back(reference=back, original=reference)
    assert again.json()["status"] == ("REJECTED" if fault == "reject" else "COMPLETED")
    assert await bank.returned(reference) == (0 if fault == "reject" else 400)


async def test_faults_pick_their_orders(bank: Bank, reference: str) -> None:
    for plan in (
        {"fault": "error_after", "reference_prefix": f"{reference}-a", "count": 2},
        {"fault": "error_before", "reference_prefix": reference, "order": "return"},
    ):
        assert (await bank.http.post("/sandbox/faults", json=plan)).status_code == 201
    answers = [
        (await bank.order(reference=f"{reference}-{name}")).status_code for name in ("b1", "a1", "a2", "a3")
    ]
    assert answers == [200, 500, 500, 200]
    backs = [
        (await bank.give_back(reference=f"{reference}-r{n}", original=f"{reference}-b1")).status_code
        for n in range(2)
    ]
    assert backs == [500, 200]


async def test_a_seed_repeats_which_orders_show_a_fault(bank: Bank, reference: str) -> None:
    async def shown(seed: int | None, mark: str) -> tuple[list[bool], int]:
        plan = {"fault": "error_before", "reference_prefix": f"{reference}-{mark}", "count": 1_000}
        asked = await bank.http.post("/sandbox/faults", json=plan | {"probability": 0.3, "seed": seed})
        answers = [await bank.order(reference=f"{reference}-{mark}-{n}") for n in range(24)]
        return [answer.status_code == 500 for answer in answers], asked.json()["seed"]

    first, seed = await shown(None, "a")
    again, _ = await shown(seed, "b")
    assert first == again
    assert 0 < sum(first) < 24
    other, _ = await shown(seed + 1, "c")
    assert other != first
    await bank.http.post("/sandbox/faults", json={"count": 0})


async def test_an_unreadable_reply_is_no_json(bank: Bank, reference: str) -> None:
    answer = await bank.order(reference=reference, fault="unreadable_reply")
    with pytest.raises(ValueError, match=r"."):
        answer.json()


async def test_a_delayed_reply_comes_late_and_the_order_is_known_before(bank: Bank, reference: str) -> None:
    began = time.monotonic()
    waiting = asyncio.create_task(bank.order(reference=reference, fault="delay=1"))
    while await bank.booked(reference) == 0:
        assert not waiting.done()
        await asyncio.sleep(0.05)
    assert time.monotonic() - began < 0.9
    assert (await waiting).json()["status"] == "COMPLETED"
    assert time.monotonic() - began >= 1


async def test_a_late_order_is_taken_after_its_sender_gave_up(bank: Bank, reference: str) -> None:
    headers = bank.headers() | {
        "X-Sandbox-Fault": "late=0.5",
        "X-Deadline": f"{time.time() + 0.2:.3f}",
    }
    body = {
        "reference": reference,
        "from_account": "ACC001",
        "to_account": "DE1",
        "routing_number": "1",
        "amount": 1,
        "currency": "USD",
    }
    answer = await bank.http.post("/process-transfer", json=body, headers=headers)
    assert answer.status_code == 503
    assert await bank.booked(reference) == 0
    async with asyncio.timeout(5):
        while await bank.booked(reference) == 0:
            await asyncio.sleep(0.05)


async def test_faults_asked_for_are_counted_down(bank: Bank, reference: str) -> None:
    # No caller's token: testers ask by hand.
    asked = await bank.http.post(
        "/sandbox/faults", json={"fault": "error_after", "count": 2, "reference": reference}
    )
    assert asked.status_code == 201
    assert (await bank.order(reference=f"{reference}-other")).status_code == 200
    answers = [(await bank.order(reference=reference)).status_code for _ in range(3)]
    assert answers == [500, 500, 200]
    assert await bank.booked(reference) == 1


async def test_faults_are_counted_exactly_under_load(bank: Bank, reference: str) -> None:
    await bank.http.post("/sandbox/faults", json={"fault": "error_before", "count": 5})
    answers = await asyncio.gather(*(bank.order(reference=f"{reference}-{n}") for n in range(20)))
    assert sum(answer.status_code == 500 for answer in answers) == 5
    assert (await bank.order(reference=reference)).status_code == 200


async def test_faults_can_be_cleared(bank: Bank, reference: str) -> None:
    await bank.http.post("/sandbox/faults", json={"fault": "error_before", "count": 100})
    assert (await bank.http.post("/sandbox/faults", json={"count": 0})).status_code == 201
    assert (await bank.order(reference=reference)).status_code == 200


@pytest.mark.parametrize("body", [{"fault": "nothing"}, {"fault": "delay", "seconds": 121}, {"count": -1}])
async def test_unknown_faults_are_refused(bank: Bank, body: dict[str, object]) -> None:
    answer = await bank.http.post("/sandbox/faults", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"][0]["field"] in body


async def test_an_unknown_fault_in_the_header_is_refused(bank: Bank, reference: str) -> None:
    answer = await bank.order(reference=reference, fault="nothing")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "X-Sandbox-Fault")
