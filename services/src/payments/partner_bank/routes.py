"""Routes of partner-bank-api; the names are the original's."""

import asyncio
import re
from typing import Annotated, Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from payments.common.clock import rfc3339, utcnow
from payments.common.errors import Problem
from payments.common.money import MAX_MINOR
from payments.common.routes import Call, get, post, reply
from payments.partner_bank.domain import Order, balance
from payments.partner_bank.faults import MAX_SECONDS, Fault, FaultName, parse
from payments.partner_bank.responses import Broken, final, outcome, unreadable
from payments.partner_bank.store import Store
from payments.partner_bank.usecases import Bank

FAULTS_PATH = "/sandbox/faults"
REFERENCE = r"^[A-Za-z0-9._:-]{1,128}\Z"

Reference = Annotated[str, msgspec.Meta(pattern=REFERENCE)]
Number = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._ -]{1,64}\Z")]


class TransferRequest(msgspec.Struct):
    """An order; `amount` in integer minor units."""

    reference: Reference
    from_account: Number
    to_account: Number
    routing_number: Number
    amount: Annotated[int, msgspec.Meta(ge=1, le=MAX_MINOR)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    # Names are of any script; only control characters are refused.
    to_name: Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]{1,140}\Z")] | None = None


class BalanceRequest(msgspec.Struct):
    """Whose balance is asked for."""

    account_number: Number


class FaultRequest(msgspec.Struct):
    """Show a fault for the next `count` orders (0 clears all faults), or for those of one reference."""

    fault: FaultName = "delay"
    seconds: Annotated[float, msgspec.Meta(ge=0, le=MAX_SECONDS)] = 0.0
    count: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 1
    reference: Reference | None = None


class Routes:
    """The handlers. `faults` opens the sandbox's further route and header."""

    def __init__(self, bank: Bank, store: Store, *, faults: bool) -> None:
        self._bank = bank
        self._store = store
        self._faults = faults

    def routes(self) -> list[Route]:
        """All routes of the service."""
        routes = [
            post("/process-transfer", TransferRequest, self.process),
            get("/transfers/{reference}", self.status),
            post("/check-balance", BalanceRequest, self.check_balance),
        ]
        if self._faults:
            routes.append(post(FAULTS_PATH, FaultRequest, self.ask_fault))
        return routes

    async def process(self, call: Call[TransferRequest]) -> Any:
        """Take an order once for each reference and answer its outcome."""
        body = call.body
        order = Order(
            reference=body.reference,
            from_account=body.from_account,
            to_account=body.to_account,
            to_name=body.to_name,
            routing_number=body.routing_number,
            amount=body.amount,
            currency=body.currency,
        )
        fault = await self._fault(call) if self._faults else None
        if fault is not None:
            return await self._process_with(fault, order)
        return final(await self._bank.process(order))

    async def status(self, call: Call[None]) -> dict[str, Any]:
        """Where the order with this reference stands; 404: the bank has not got it (yet)."""
        reference = call.path("reference")
        entry = await self._store.find(reference) if re.search(REFERENCE, reference) else None
        if entry is None:
            raise Problem("not_found", "The bank has no order with this reference")
        return outcome(entry, utcnow())

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
        """Note a fault to be shown; a count of 0 clears all that are open."""
        body = call.body
        if body.count == 0:
            await self._store.clear_faults()
        else:
            await self._store.ask_fault(
                Fault(body.fault, body.seconds), count=body.count, reference=body.reference
            )
        return reply({"success": True, **msgspec.structs.asdict(body)}, 201)

    async def _fault(self, call: Call[TransferRequest]) -> Fault | None:
        header = call.request.headers.get("x-sandbox-fault")
        if header is None:
            return await self._store.take_fault(call.body.reference)
        try:
            return parse(header)
        except ValueError as error:
            raise Problem(
                "validation_failed", errors=[{"field": "X-Sandbox-Fault", "message": str(error)}]
            ) from error

    async def _process_with(self, fault: Fault, order: Order) -> Any:
        if fault.prevents:
            return Broken() if fault.name == "lost_request" else Problem("internal_error").response()
        if fault.name == "late":
            return final(await self._bank.late(order, fault.seconds))
        entry = await (self._bank.twice(order) if fault.name == "duplicate" else self._bank.process(order))
        if fault.name == "delay":
            await asyncio.sleep(fault.seconds)
        if fault.name == "lost_reply":
            return Broken()
        if fault.name == "error_after":
            return Problem("internal_error").response()
        if fault.name == "unreadable_reply":
            return unreadable(entry)
        return final(entry)
