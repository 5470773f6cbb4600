"""Routes of partner-bank-api; the names are the original's where it had them."""

import re
import secrets
from dataclasses import asdict
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from payments.common.clock import rfc3339, utcnow
from payments.common.errors import Problem
from payments.common.routes import Call, get, post, reply
from payments.partner_bank import responses
from payments.partner_bank.domain import Order, Return, balance
from payments.partner_bank.faults import FaultPlan, OrderKind
from payments.partner_bank.faulty import Faulty, Take
from payments.partner_bank.messages import (
    REFERENCE,
    BalanceRequest,
    CancelRequest,
    FaultRequest,
    ReturnRequest,
    TransferRequest,
)
from payments.partner_bank.store import Store
from payments.partner_bank.usecases import Bank

FAULTS_PATH = "/sandbox/faults"


class Routes:
    """The handlers. `faults` opens the sandbox's further route and header."""

    def __init__(self, bank: Bank, store: Store, *, faults: bool) -> None:
        self._bank = bank
        self._store = store
        self._faulty = Faulty(store) if faults else None

    def routes(self) -> list[Route]:
        """All routes of the service."""
        routes = [
            post("/process-transfer", TransferRequest, self.process),
            get("/transfers/{reference}", self.status),
            post("/cancel-transfer", CancelRequest, self.cancel),
            post("/process-return", ReturnRequest, self.give_back),
            get("/returns/{reference}", self.return_status),
            post("/check-balance", BalanceRequest, self.check_balance),
        ]
        if self._faulty is not None:
            routes.append(post(FAULTS_PATH, FaultRequest, self.ask_fault))
        return routes

    async def process(self, call: Call[TransferRequest]) -> Any:
        """Take an order once for each reference and answer its outcome."""
        order = Order(**msgspec.structs.asdict(call.body))

        async def take(*, declined: bool = False) -> dict[str, Any]:
            entry = await self._bank.process(order, declined=declined)
            return responses.outcome(entry, entry.completes_at)

        return await self._answer(call, "transfer", order.reference, take)

    async def give_back(self, call: Call[ReturnRequest]) -> Any:
        """Take a return once for each reference and answer its outcome."""
        order = Return(**msgspec.structs.asdict(call.body))

        async def take(*, declined: bool = False) -> dict[str, Any]:
            entry = await self._bank.give_back(order, declined=declined)
            return responses.returned(entry, entry.completes_at)

        return await self._answer(call, "return", order.reference, take)

    async def status(self, call: Call[None]) -> dict[str, Any]:
        """Where the order with this reference stands; 404: the bank has not got it (yet)."""
        reference = call.path("reference")
        entry = await self._store.find(reference) if re.search(REFERENCE, reference) else None
        if entry is None:
            raise Problem("not_found", "The bank has no order with this reference")
        return responses.outcome(entry, utcnow())

    async def return_status(self, call: Call[None]) -> dict[str, Any]:
        """Where the return with this reference stands; 404: the bank has not got it (yet)."""
        reference = call.path("reference")
        entry = await self._store.find_return(reference) if re.search(REFERENCE, reference) else None
        if entry is None:
            raise Problem("not_found", "The bank has no return with this reference")
        return responses.returned(entry, utcnow())

    async def cancel(self, call: Call[CancelRequest]) -> dict[str, Any]:
        """Take no such order any more; one that was taken before stands, and is answered as it is."""
        entry = await self._store.cancel(call.body.reference)
        if entry is None:
            return responses.canceled(call.body.reference)
        return responses.outcome(entry, utcnow())

    async def check_balance(self, call: Call[BalanceRequest]) -> dict[str, Any]:
        """A balance by the sandbox's rule, in cents; it says nothing about real accounts."""
        number = call.body.account_number
        return {
            "account_number": number,
            "available_balance": balance(number),
            "currency": "USD",
            "last_updated": rfc3339(utcnow()),
        }

    async def ask_fault(self, call: Call[FaultRequest]) -> Response:
        """Note a fault to be shown; a count of 0 clears all that are open. A missing seed is drawn."""
        body = call.body
        seed = secrets.randbits(32) if body.seed is None else body.seed
        plan = FaultPlan(**msgspec.structs.asdict(body) | {"seed": seed})
        if body.count == 0:
            await self._store.clear_faults()
        else:
            await self._store.ask_fault(plan)
        return reply({"success": True, **asdict(plan)}, 201)

    async def _answer(self, call: Call[Any], kind: OrderKind, reference: str, take: Take) -> Any:
        if self._faulty is None:
            return await take()
        return await self._faulty.answer(call.request, kind, reference, take)
