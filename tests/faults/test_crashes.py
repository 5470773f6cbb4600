"""SIGKILL exactly at the commits of confirm-service and account-service, on either side of each."""

import asyncio
import random
import time
from typing import Any

import pytest

from tests.faults.conftest import SEED
from tests.support.faults.api import Answer
from tests.support.faults.holds import Holds
from tests.support.faults.load import BANK, Customer
from tests.support.faults.sizes import Sizes, rng
from tests.support.faults.system import Platform

DECLINED = 5_000_000  # the bank's limit, in cents; such a payment asks for a password first
HELD_WITHIN = 3.5  # seconds; the services give a statement 5

# Where each service commits on a payment's way: the payment's kind, the point (see support/faults/holds).
POINTS = {
    "confirm-service": (
        ("on_us", "payments:processing"),
        ("on_us", "payments:succeeded"),
        ("otp", "payments:requires_action"),
        ("otp", "payments:stage-authorized"),
        ("otp", "payments:succeeded"),
        ("off_us", "payments:stage-submitted"),
        ("off_us", "payments:succeeded"),
        ("declined", "payments:failed"),
        ("refund", "refunds:insert"),
        ("refund", "refunds:succeeded"),
    ),
    "account-service": (
        ("on_us", "transfers:insert"),
        ("off_us", "holds:insert"),
        ("off_us", "holds:posted"),
        ("declined", "holds:voided"),
        ("refund", "transfers:insert"),
    ),
}


class Payment:
    """A payment on its way to the point where it is held."""

    def __init__(self, system: Platform, payer: Customer, payee: Customer, kind: str, point: str) -> None:
        self.system, self.payer, self.payee, self.kind, self.point = system, payer, payee, kind, point
        self.amount = {"otp": 1_500_000, "declined": DECLINED}.get(kind, 500)
        self.key = payer.api.key()
        self.id = ""

    async def prepare(self) -> None:
        """Everything before the request that is to be held."""
        body: dict[str, Any] = {"amount": self.amount, "currency": "USD", "from_account": self.payer.account}
        body |= BANK if self.kind in ("off_us", "declined") else {"to_account": self.payee.account}
        self.id = (await self.payer.api.until_final("/v1/payments", body)).body["id"]
        if self.kind == "refund":
            assert (await self._confirm()).status == 200
        elif self.kind == "declined" or (self.kind == "otp" and not self.point.endswith("requires_action")):
            assert (await self._confirm()).body["status"] == "requires_action"

    async def request(self) -> Answer:
        """The request that is held, once."""
        if self.kind == "refund":
            return await self.payer.api.post(f"/v1/payments/{self.id}/refunds", {"amount": 100}, key=self.key)
        return await self._confirm(once=True)

    async def again(self) -> Answer:
        """The same request until its answer is final, as the client's retry."""
        if self.kind == "refund":
            path = f"/v1/payments/{self.id}/refunds"
            return await self.payer.api.until_final(path, {"amount": 100}, key=self.key, seconds=60)
        answer = await self._confirm()
        for _ in range(5):
            code, status = answer.body.get("code"), answer.body.get("status")
            if code in ("otp_restart", "otp_invalid"):
                await self.payer.api.until_final(f"/v1/payments/{self.id}/otp")
            elif status != "requires_action":
                break
            answer = await self._confirm()
        return answer

    async def _confirm(self, *, once: bool = False) -> Answer:
        path, body = f"/v1/payments/{self.id}/confirm", {}
        if self.kind in ("otp", "declined"):
            told = f"{self.amount // 100:,}.{self.amount % 100:02d} USD"
            if password := await self.system.password(self.payer.id, told):
                body = {"otp": password}
        key = self.payer.api.key() if self.kind == "refund" else self.key
        if once:
            return await self.payer.api.post(path, body, key=key)
        return await self.payer.api.until_final(path, body, key=key, seconds=60)


async def crash(
    system: Platform, service: str, *, commit: bool, dice: random.Random
) -> tuple[int, list[Payment]]:
    """One round: hold one payment at each point, SIGKILL, then let the statements commit or not."""
    points = list(POINTS[service])
    dice.shuffle(points)
    # Nobody twice: statements that are held must not wait for each other's accounts.
    people = iter(await system.customers(2 * len(points), dice))
    payments = [Payment(system, next(people), next(people), kind, point) for kind, point in points]
    await asyncio.gather(*(payment.prepare() for payment in payments))
    async with Holds(system.dsn) as holds:
        numbers = {await holds.at(payment.id, payment.point): payment for payment in payments}
        requests = [asyncio.create_task(payment.request()) for payment in payments]
        held = await holds.reached(len(numbers), HELD_WITHIN)
        await asyncio.sleep(dice.uniform(0, 0.3))
        await system.kill(service)
        await holds.finish(list(held.values()), commit=commit)
        await system.start([service])
        await asyncio.gather(*requests)
    missed = [f"{payment.kind} {payment.point}" for number, payment in numbers.items() if number not in held]
    assert not missed, f"not held within {HELD_WITHIN} s: {missed}"
    return len(held), payments


@pytest.mark.timeout(0)
async def test_a_kill_at_any_commit_loses_and_doubles_nothing(
    system: Platform, size: Sizes, report: dict[str, Any]
) -> None:
    dice = rng("crashes", SEED)
    kills, slowest = 0, 0.0
    for _ in range(size.crash_rounds):
        for service in POINTS:
            rounds = [await crash(system, service, commit=c, dice=dice) for c in (True, False)]
            began = time.monotonic()
            payments = [payment for _, made in rounds for payment in made]
            answers = await asyncio.gather(*(payment.again() for payment in payments))
            slowest = max(slowest, time.monotonic() - began)
            kills += sum(held for held, _ in rounds)
            wrong = {
                f"{p.kind} {p.point} {p.id}": (a.status, a.raw[:200])
                for p, a in zip(payments, answers, strict=True)
                if a.status != {"refund": 201, "declined": 402}.get(p.kind, 200)
            }
            assert not wrong, wrong
    report |= {"statements_held_at_a_kill": kills, "slowest_end_s": round(slowest, 1)} | await system.zeros()
    assert slowest < 60
