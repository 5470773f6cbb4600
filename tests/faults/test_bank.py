"""Partner bank: every fault that it or the way to it can have; no payment twice, none unknown for long."""

import asyncio
import time
from typing import Any

from tests.faults.conftest import SEED
from tests.support.faults.load import BANK, Customer
from tests.support.faults.sizes import Sizes, rng
from tests.support.faults.system import Platform

FAULTS = ("lost_request", "lost_reply", "late", "error_before", "error_after", "duplicate")
SETTLED_WITHIN = 300.0  # after healing


async def test_no_fault_of_the_bank_loses_or_doubles_a_payment(
    system: Platform, size: Sizes, report: dict[str, Any]
) -> None:
    dice = rng("bank", SEED)
    customers = await system.customers(12, dice)
    faults = [fault for fault in FAULTS for _ in range(size.bank_payments)]
    dice.shuffle(faults)
    limit = asyncio.Semaphore(40)
    statuses: dict[str, int] = {}

    async def pay(payer: Customer, fault: str, amount: int) -> str:
        async with limit:
            body = {"amount": amount, "currency": "USD", "from_account": payer.account, **BANK}
            created = await payer.api.until_final("/v1/payments", body)
            assert created.status == 201, created
            payment_id = str(created.body["id"])
            await system.sql(
                """INSERT INTO bank.faults (fault, seconds, reference, remaining)
                   SELECT $2, $3, bank_reference, $4 FROM payments.payments WHERE id = $1""",
                payment_id,
                fault,
                size.late_seconds if fault == "late" else 0.0,
                dice.randint(1, 2),
            )
            key = payer.api.key()
            answer = await payer.api.post(f"/v1/payments/{payment_id}/confirm", key=key)
            while answer.status in (0, 503):  # surely before any effect
                await asyncio.sleep(0.5)
                answer = await payer.api.post(f"/v1/payments/{payment_id}/confirm", key=key)
            name = f"{fault} {answer.status}"
            statuses[name] = statuses.get(name, 0) + 1
            return payment_id

    paid = await asyncio.gather(
        *(pay(dice.choice(customers), fault, 100 + n) for n, fault in enumerate(faults))
    )
    healed = time.monotonic()
    await system.nothing_open(SETTLED_WITHIN)
    settled = time.monotonic() - healed
    # What is late at the bank is so for longer than anybody waited: it must find its order in the book.
    await asyncio.sleep(max(0.0, size.late_seconds + 1 - settled))
    zeros = await system.zeros()
    ends = await system.sql(
        """SELECT p.status, count(*) AS payments, count(b.reference) AS orders FROM payments.payments p
           LEFT JOIN bank.transfers b ON b.reference = p.bank_reference WHERE p.id = ANY ($1) GROUP BY 1""",
        paid,
    )
    report |= {
        "payments": len(paid),
        "answers": dict(sorted(statuses.items())),
        "settled_s": round(settled, 1),
    }
    report |= zeros
    assert [tuple(row) for row in ends] == [("succeeded", len(paid), len(paid))]
