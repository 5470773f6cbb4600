"""Answering an order rightly or, on request, wrongly."""

import asyncio
import logging
from typing import Any, Protocol

from starlette.requests import Request

from payments.common import context
from payments.common.errors import Problem
from payments.partner_bank.faults import Fault, OrderKind, parse
from payments.partner_bank.responses import Broken, unreadable
from payments.partner_bank.store import Store

log = logging.getLogger(__name__)

HEADER = "X-Sandbox-Fault"


class Take(Protocol):
    """Takes an order, once for each reference, and returns the answer with its outcome."""

    async def __call__(self, *, declined: bool = False) -> dict[str, Any]:
        """`declined`: decide against the order."""


class Faulty:
    """Shows the faults that were asked for, by the request's header or beforehand."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._late: set[asyncio.Task[dict[str, Any]]] = set()

    async def answer(self, request: Request, kind: OrderKind, reference: str, take: Take) -> Any:
        """What the sender is answered, if anything. Raises Problem for an unknown fault in the header."""
        fault = await self._fault(request, kind, reference)
        return await take() if fault is None else await self._show(fault, take)

    async def _fault(self, request: Request, kind: OrderKind, reference: str) -> Fault | None:
        header = request.headers.get(HEADER)
        if header is None:
            return await self._store.take_fault(kind, reference)
        try:
            return parse(header)
        except ValueError as error:
            errors = [{"field": HEADER, "message": str(error)}]
            raise Problem("validation_failed", errors=errors) from error

    async def _show(self, fault: Fault, take: Take) -> Any:
        if fault.prevents:
            return Broken() if fault.name == "lost_request" else Problem("internal_error").response()
        if fault.name == "late":
            return await self._later(take, fault.seconds)
        if fault.name == "duplicate":
            answer, _ = await asyncio.gather(take(), take())
        else:
            answer = await take(declined=fault.name == "reject")
        if fault.name == "delay":
            await asyncio.sleep(fault.seconds)
        if fault.name == "lost_reply":
            return Broken()
        if fault.name == "error_after":
            return Problem("internal_error").response()
        return unreadable(answer) if fault.name == "unreadable_reply" else answer

    async def _later(self, take: Take, seconds: float) -> dict[str, Any]:
        """The order reaches the book only after `seconds`, also when its sender has given up by then."""

        async def later() -> dict[str, Any]:
            context.deadline.set(None)  # in this task only: the sender's deadline stops nothing here
            await asyncio.sleep(seconds)
            return await take()

        task = asyncio.create_task(later())
        self._late.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[dict[str, Any]]) -> None:
        self._late.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("a late order was not taken: %r", error)
