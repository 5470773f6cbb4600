"""Customers who pay, in all the ways there are, and never give up before the answer is final."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.support.faults.api import Answer, Api

BANK = {"to_account": "9876543210", "to_routing_number": "021000021", "to_name": "Wilma Aldergrove"}
KINDS = ("on_us", "off_us", "otp", "refund", "off_us_refund")
_WEIGHTS = (5, 3, 1, 2, 1)
_OTP_FROM = 1_000_001  # minor units: over 10,000.00 the risk is high


@dataclass
class Customer:
    """Somebody with an account, signed in."""

    id: str
    account: str
    api: Api
    passwords: int = 0


@dataclass
class Outcome:
    """What the client was told last about a payment."""

    payment_id: str
    kind: str
    status: str
    seconds: float = 0


# The newest one-time password that was sent to a customer for an amount, read where it was sent to.
Password = Callable[[str, str], Awaitable[str | None]]


@dataclass
class Load:
    """Makes payments between customers; keeps what the clients were told."""

    customers: list[Customer]
    rng: random.Random
    password: Password
    outcomes: list[Outcome] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    _serial: int = 0

    async def for_seconds(self, seconds: float, rate: float) -> None:
        """Begin `rate` payments a second, then wait for their ends."""
        tasks = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            tasks.append(asyncio.create_task(self.one()))
            await asyncio.sleep(self.rng.expovariate(rate))
        await asyncio.gather(*tasks)

    async def until(self, stop: asyncio.Event, rate: float, kind: str | None = None) -> None:
        """Begin `rate` payments a second until `stop` is set, then wait for their ends."""
        tasks = []
        while not stop.is_set():
            tasks.append(asyncio.create_task(self.one(kind)))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.rng.expovariate(rate))
        await asyncio.gather(*tasks)

    async def one(self, kind: str | None = None, payer: Customer | None = None) -> Outcome:
        """One payment from its creation to its end, refund included; of some customer if none is given."""
        kind = kind or self.rng.choices(KINDS, _WEIGHTS)[0]
        chosen, payee = self.rng.sample(self.customers, 2)
        payer = payer or chosen
        self._serial += 1
        amount = (_OTP_FROM if kind == "otp" else 100) + self._serial
        body: dict[str, Any] = {"amount": amount, "currency": "USD", "from_account": payer.account}
        body |= BANK if kind.startswith("off_us") else {"to_account": payee.account}
        began = time.monotonic()
        created = await payer.api.until_final("/v1/payments", body)
        if created.status != 201:
            outcome = Outcome("", kind, f"not created: {created.status} {created.body.get('code')}")
        else:
            payment_id = created.body["id"]
            self.accepted.add(payment_id)
            status = await self._confirm(payer, payment_id, amount)
            if status == "succeeded" and kind.endswith("refund"):
                refund = await payer.api.until_final(
                    f"/v1/payments/{payment_id}/refunds", {"amount": amount // 2}
                )
                status = (
                    "refunded"
                    if refund.status == 201
                    else f"refund: {refund.status} {refund.body.get('code')}"
                )
            outcome = Outcome(payment_id, kind, status)
        outcome.seconds = time.monotonic() - began
        self.outcomes.append(outcome)
        return outcome

    def counts(self) -> Counter[str]:
        """How many payments ended how."""
        return Counter(f"{outcome.kind} {outcome.status}" for outcome in self.outcomes)

    async def _confirm(self, payer: Customer, payment_id: str, amount: int) -> str:
        path = f"/v1/payments/{payment_id}/confirm"
        key = payer.api.key()
        answer = await payer.api.until_final(path, key=key)
        for _ in range(12):
            if answer.status == 200 and answer.body.get("status") == "requires_action":
                answer = await self._with_password(payer, payment_id, amount, key)
            elif answer.body.get("code") in ("otp_restart", "otp_invalid"):
                await payer.api.until_final(f"/v1/payments/{payment_id}/otp")
                answer = await self._with_password(payer, payment_id, amount, key)
            else:
                break
        if answer.status == 200:
            return str(answer.body.get("status"))
        return f"{answer.status} {answer.body.get('code') or answer.body.get('status')}"

    async def _with_password(self, payer: Customer, payment_id: str, amount: int, key: str) -> Answer:
        told = f"{amount // 100:,}.{amount % 100:02d} USD"
        password = None
        for _ in range(40):
            if password := await self.password(payer.id, told):
                break
            await asyncio.sleep(0.1)
        if password is None:
            await payer.api.until_final(f"/v1/payments/{payment_id}/otp")
            password = await self.password(payer.id, told)
        path = f"/v1/payments/{payment_id}/confirm"
        return await payer.api.until_final(path, {"otp": password or "000000"}, key=key)
