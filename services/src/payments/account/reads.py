"""Routes that read: what customers own and what happened to it (the gateway passes /v1 through)."""

import re
from typing import Any

from starlette.routing import Route

from payments.account import presentation
from payments.account.domain import PAYMENTS, owner
from payments.account.messages import NUMBER
from payments.account.queries import Queries
from payments.common.errors import Problem
from payments.common.routes import Call, get

MAX_LIMIT = 100
_DIGITS = re.compile(r"[0-9]{1,18}")


class Reads:
    """The handlers. Whose accounts are seen follows from the gateway's signed claim alone."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def routes(self) -> list[Route]:
        """All routes that read."""
        return [
            get("/v1/accounts", self.accounts),
            get("/v1/accounts/{number}", self.account),
            get("/v1/accounts/{number}/entries", self.entries),
            get("/account/{number}", self.account_of_service),
        ]

    async def accounts(self, call: Call[None]) -> dict[str, Any]:
        """The customer's accounts by number; everyone's for operators and auditors."""
        after = call.request.query_params.get("starting_after", "")
        if after and re.search(NUMBER, after) is None:
            raise _invalid("starting_after", "must be an account number of the page before")
        limit = _limit(call)
        rows = await self._queries.accounts(_owner(call), after, limit + 1)
        return presentation.page([presentation.account(row) for row in rows], limit)

    async def account(self, call: Call[None]) -> dict[str, Any]:
        """One account."""
        return await self._account(call, _owner(call))

    async def account_of_service(self, call: Call[None]) -> dict[str, Any]:
        """One account, for a service that acts as itself; with an actor as /v1/accounts/{number}."""
        if call.actor is not None:
            return await self.account(call)
        if call.caller != PAYMENTS:
            raise Problem("caller_not_allowed")
        return await self._account(call, None)

    async def entries(self, call: Call[None]) -> dict[str, Any]:
        """What was posted to an account, newest first, each with the balance after it."""
        whose = _owner(call)
        number = _number(call)
        after = call.request.query_params.get("starting_after", "")
        if after and _DIGITS.fullmatch(after) is None:
            raise _invalid("starting_after", "must be the id of an entry of the page before")
        limit = _limit(call)
        rows = await self._queries.entries(number, whose, int(after) if after else None, limit + 1)
        if rows is None:
            raise Problem("account_not_found")
        return presentation.page([presentation.entry(row) for row in rows], limit)

    async def _account(self, call: Call[None], whose: str | None) -> dict[str, Any]:
        row = await self._queries.account(_number(call), whose)
        if row is None:
            raise Problem("account_not_found")
        return presentation.account(row)


def _owner(call: Call[None]) -> str | None:
    actor = call.required_actor()
    return owner(actor.role, actor.customer_id)


def _number(call: Call[None]) -> str:
    number = call.path("number")
    if re.search(NUMBER, number) is None:
        raise Problem("account_not_found")
    return number


def _limit(call: Call[None]) -> int:
    text = call.request.query_params.get("limit", "10")
    if _DIGITS.fullmatch(text) is None or not 1 <= int(text) <= MAX_LIMIT:
        raise _invalid("limit", f"must be from 1 to {MAX_LIMIT}")
    return int(text)


def _invalid(field: str, message: str) -> Problem:
    return Problem("validation_failed", errors=[{"field": field, "message": message}])
