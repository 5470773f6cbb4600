"""Fifty payments of every kind there is, and how each has to end."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass

from tests.support.faults.api import Api
from tests.support.faults.load import Customer
from tests.support.faults.world import World

#: How many of each; those that Load makes by itself come first.
KINDS = {
    **{"on_us": 14, "off_us": 8, "otp": 8, "refund": 5, "off_us_refund": 3},
    **{"declined": 4, "sanctioned": 3, "cancelled": 5},
}
#: What a client is told in the end, by kind.
ENDS = {
    **dict.fromkeys(("on_us", "off_us", "otp"), "succeeded"),
    **dict.fromkeys(("refund", "off_us_refund"), "refunded"),
    **{"declined": "402 insufficient_funds", "sanctioned": "403 payment_refused", "cancelled": "canceled"},
}
AT_ONCE = 5


@dataclass(frozen=True)
class Made:
    """A payment and what the client was told last of it."""

    id: str
    kind: str
    told: str


@dataclass(frozen=True)
class Fifty:
    """All of them, and when the first one began (Unix time)."""

    made: list[Made]
    began: float

    def of(self, *kinds: str) -> set[str]:
        """Ids of the payments of these kinds."""
        return {payment.id for payment in self.made if payment.kind in kinds}


async def mixed(world: World, rng: random.Random) -> list[Made]:
    """Make them, some at a time. Raises AssertionError when one ends in another way."""
    load = await world.load(rng, customers=2)
    # Each has its own payer: nobody's verification and screening are known from a payment before.
    payers = iter(await world.customers(sum(KINDS.values()), rng))
    poor = iter(await world.customers(KINDS["declined"], rng, balance=100))
    blocked = Customer("BLOCKED_CUSTOMER_001", "ACC005", Api(world.http, world.url, world.told, rng))
    await blocked.api.login("blocked", "password123")
    kinds = [kind for kind, count in KINDS.items() for _ in range(count)]
    rng.shuffle(kinds)
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(kind: str) -> Made:
        async with slots:
            if kind == "declined":
                return await _refused(next(poor), kind, 5_000)
            if kind == "sanctioned":
                return await _refused(blocked, kind, 10_00)
            if kind == "cancelled":
                return await _cancelled(next(payers))
            outcome = await load.one(kind, next(payers))
            return Made(outcome.payment_id, kind, outcome.status)

    made = await asyncio.gather(*(one(kind) for kind in kinds))
    wrong = [payment for payment in made if payment.told != ENDS[payment.kind]]
    assert not wrong, wrong
    assert Counter(payment.kind for payment in made) == KINDS
    return made


async def _create(payer: Customer, amount: int) -> str:
    body = {"amount": amount, "currency": "USD", "from_account": payer.account, "to_account": "ACC001"}
    created = await payer.api.until_final("/v1/payments", body)
    assert created.status == 201, created
    return str(created.body["id"])


async def _refused(payer: Customer, kind: str, amount: int) -> Made:
    payment = await _create(payer, amount)
    answer = await payer.api.until_final(f"/v1/payments/{payment}/confirm")
    return Made(payment, kind, f"{answer.status} {answer.body.get('code')}")


async def _cancelled(payer: Customer) -> Made:
    payment = await _create(payer, 5_00)
    answer = await payer.api.until_final(f"/v1/payments/{payment}/cancel")
    return Made(payment, "cancelled", str(answer.body.get("status")))
