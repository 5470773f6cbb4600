"""Random histories of the ledger, many operations at once, in several currencies; afterwards SQL counts.

The operations that each worker asks for follow from the seed alone, not from the answers. SEED repeats
them; SOAK=1 makes 100,000 of them, TEST_LEDGER_OPERATIONS any other number.
"""

import asyncio
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from hack.dev.stack import Stack
from payments.account.messages import ReserveRequest, ReturnRequest, TransferRequest
from payments.account.store import Store
from payments.common.db import Database
from payments.common.settings import DatabaseSettings

from .conftest import Ledger, unique

SEED = int(os.environ.get("SEED") or "0") or random.SystemRandom().randrange(1, 10**9)
OPERATIONS = int(os.environ.get("TEST_LEDGER_OPERATIONS") or ("100000" if os.environ.get("SOAK") else "2000"))
WORKERS = 16
CURRENCIES = ("USD", "EUR", "JPY", "KWD")
# What the ledger may say to an operation of these histories.
REFUSALS = {
    "account_not_found",
    "currency_mismatch",
    "illegal_state",
    "insufficient_funds",
    "payment_mismatch",
    "payment_not_found",
    "refund_exceeds_payment",
    "self_transfer",
}


@dataclass(frozen=True)
class Plan:
    """A payment of the history, between our accounts or to another bank."""

    id: str
    payer: str
    payee: str
    amount: int
    currency: str


@dataclass
class Accepted:
    """What the ledger said it did: (kind, id) -> (amount, currency), and the ids of transfers it named."""

    moved: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    named: defaultdict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    holds: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)


class History:
    """Asks a store for random operations and remembers what it accepted."""

    def __init__(self, store: Store, plans: list[Plan], accounts: list[str]) -> None:
        self._store = store
        self._plans = plans
        self._accounts = accounts
        self.accepted = Accepted()
        self._operations: list[tuple[str, Callable[[Plan, random.Random], Awaitable[str]], int]] = [
            ("transfer", self._transfer, 5),
            ("refund", self._refund, 3),
            ("hold", self._hold, 4),
            ("post", self._post, 2),
            ("void", self._void, 1),
            ("expire", self._expire, 1),
            ("return", self._return, 3),
        ]

    async def run(self, seed: int, count: int) -> None:
        """`count` operations, one after the other."""
        chance = random.Random(seed)
        for _ in range(count):
            plan = chance.choice(self._plans)
            if chance.random() < 0.1:  # a repeat that contradicts, or another currency's account
                plan = replace(plan, amount=plan.amount + 1)
            if chance.random() < 0.1:
                plan = replace(plan, payee=chance.choice(self._accounts))
            weights = [weight for *_, weight in self._operations]
            name, operation, _ = chance.choices(self._operations, weights)[0]
            outcome = await operation(plan, chance)
            self.accepted.outcomes[name, outcome] += 1

    async def _transfer(self, plan: Plan, _: random.Random) -> str:
        request = TransferRequest(plan.id, plan.payer, plan.payee, plan.amount, plan.currency)
        return self._moved(
            "payment", plan.id, plan, plan.amount, await self._store.transfer(request, None, None)
        )

    async def _refund(self, plan: Plan, chance: random.Random) -> str:
        refund, amount = f"{plan.id}-r{chance.randrange(4)}", max(1, plan.amount // chance.randint(1, 4))
        request = TransferRequest(plan.id, plan.payee, plan.payer, amount, plan.currency, "refund", refund)
        return self._moved("refund", refund, plan, amount, await self._store.transfer(request, None, None))

    async def _hold(self, plan: Plan, chance: random.Random) -> str:
        overdue = timedelta(seconds=chance.choice([600, -600]))
        payment = f"{plan.id}-bank"
        request = ReserveRequest(payment, plan.payer, plan.amount, plan.currency, 5, f"B-{plan.id}")
        done = await self._store.reserve(request, overdue, None, None)
        return str(done["refusal"] or "done").partition("/")[0]

    async def _post(self, plan: Plan, _: random.Random) -> str:
        payment = f"{plan.id}-bank"
        done = await self._store.post_hold(payment, f"B-{plan.id}", None)
        if done["refusal"] is None:
            self.accepted.holds[payment].add("posted")
            self.accepted.named["payment", payment].add(done["transfer_id"])
        return str(done["refusal"] or "done").partition("/")[0]

    async def _void(self, plan: Plan, _: random.Random) -> str:
        done = await self._store.void_hold(f"{plan.id}-bank", None)
        if done["refusal"] is None:
            self.accepted.holds[f"{plan.id}-bank"].add("voided")
        return str(done["refusal"] or "done").partition("/")[0]

    async def _expire(self, plan: Plan, _: random.Random) -> str:
        if not await self._store.expire(f"{plan.id}-bank"):
            return "nothing"
        self.accepted.holds[f"{plan.id}-bank"].add("voided")
        return "done"

    async def _return(self, plan: Plan, chance: random.Random) -> str:
        number, amount = chance.randrange(4), max(1, plan.amount // chance.randint(1, 4))
        refund = f"{plan.id}-b{number}"
        request = ReturnRequest(refund, amount, plan.currency, f"RET-{refund}")
        done = await self._store.post_return(f"{plan.id}-bank", request, None)
        return self._moved("refund", refund, plan, amount, done)

    def _moved(self, kind: str, id_: str, plan: Plan, amount: int, done: Any) -> str:
        if done["refusal"] is None:
            first = self.accepted.moved.setdefault((kind, id_), (amount, plan.currency))
            assert first == (amount, plan.currency), "a contradicting repeat was accepted"
            self.accepted.named[kind, id_].add(done["id"])
        return str(done["refusal"] or "done").partition("/")[0]


async def plan_history(ledger: Ledger, chance: random.Random, count: int) -> tuple[list[Plan], list[str]]:
    """Accounts in each currency, with and without money, and payments between them."""
    accounts = {
        currency: [await ledger.open(chance.choice([0, 2_000, 60_000]), currency=currency) for _ in range(4)]
        for currency in CURRENCIES
    }
    run = unique("h")
    plans = []
    for number in range(count):
        currency = chance.choice(CURRENCIES)
        payer, payee = chance.sample(accounts[currency], 2)
        plans.append(Plan(f"{run}-{number}", payer, payee, chance.randrange(1, 900), currency))
    return plans, [number for numbers in accounts.values() for number in numbers]


@pytest.mark.timeout(3600)
async def test_any_history_keeps_the_books(stack: Stack, ledger: Ledger) -> None:
    print(f"SEED={SEED} TEST_LEDGER_OPERATIONS={OPERATIONS}")  # noqa: T201  to repeat a failure
    chance = random.Random(SEED)
    plans, accounts = await plan_history(ledger, chance, OPERATIONS // 12)
    host, port = stack.servers.postgres
    settings = DatabaseSettings.model_validate(
        {
            "database_host": host,
            "database_port": port,
            "database_name": stack.servers.database,
            "database_user": "accounts",
            "database_password": "dev-accounts",
            "database_pool_max": WORKERS,
        }
    )
    began = time.monotonic()
    async with Database(settings, application="histories", timeout=60) as database:
        history = History(Store(database), plans, accounts)
        each, rest = divmod(OPERATIONS, WORKERS)
        async with asyncio.TaskGroup() as workers:
            for number in range(WORKERS):
                workers.create_task(history.run(SEED + number, each + (number < rest)))
    seconds = time.monotonic() - began
    accepted = history.accepted
    print(f"{OPERATIONS} operations in {seconds:.1f} s")  # noqa: T201
    print(*sorted(accepted.outcomes.items()), sep="\n")  # noqa: T201
    assert accepted.outcomes.total() == OPERATIONS
    assert {outcome for _, outcome in accepted.outcomes} - {"done", "nothing"} <= REFUSALS
    assert all(accepted.outcomes[name, "done"] > 0 for name in ("transfer", "refund", "hold", "return"))
    assert all(accepted.outcomes[name, "done"] > 0 for name in ("post", "void", "expire"))
    await ledger.check()
    await check_accepted(ledger.database, plans[0].id.rpartition("-")[0], accepted)


async def check_accepted(database: "asyncpg.Pool[asyncpg.Record]", run: str, accepted: Accepted) -> None:
    """What was accepted is in the books once, with the amount it was asked for; what was refused is not."""
    rows = await database.fetch(
        """SELECT id, kind, coalesce(refund_id, payment_id) AS named, amount_minor, currency
           FROM accounts.transfers WHERE payment_id LIKE $1 || '-%'""",
        run,
    )
    found = {(row["kind"], row["named"]): (row["amount_minor"], row["currency"]) for row in rows}
    holds = {
        row["payment_id"]: row
        for row in await database.fetch("SELECT * FROM accounts.holds WHERE payment_id LIKE $1 || '-%'", run)
    }
    expected = dict(accepted.moved)
    for payment, resolutions in accepted.holds.items():
        assert len(resolutions) == 1, f"{payment} was resolved as {resolutions}"
        assert resolutions == {holds[payment]["status"]}
        if resolutions == {"posted"}:
            hold = holds[payment]
            expected["payment", payment] = (hold["amount_minor"], hold["currency"])
            expected["fee", payment] = (hold["fee_minor"], hold["currency"])
    assert found == expected
    assert all(len(ids) == 1 for ids in accepted.named.values())
    ids = {(row["kind"], row["named"]): row["id"] for row in rows}
    assert all({ids[key]} == named for key, named in accepted.named.items())
