"""GET /v1/accounts/{number}/statements: what was booked in a period, for the account's owner."""

import re
from datetime import date
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.routing import Route

from payments.account.domain import owner
from payments.account.messages import NUMBER
from payments.account.queries import Queries
from payments.account.statements import Period, PeriodError, as_csv, period, statement
from payments.common.clock import utcnow
from payments.common.errors import Problem
from payments.common.routes import Call, get, reply

MAX_LIMIT = 1000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[0-9]{1,18}")


class Statements:
    """The handler. Whose accounts are seen follows from the gateway's signed claim alone."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def routes(self) -> list[Route]:
        """The one route."""
        return [get("/v1/accounts/{number}/statements", self.show)]

    async def show(self, call: Call[None]) -> Response:
        """A statement by `from` and `to` (days in UTC), oldest entries first; JSON or CSV."""
        actor = call.required_actor()
        query = call.request.query_params
        now = utcnow()
        wanted = _period(query, now.date())
        after, limit = _page(query)
        form = _format(query, call.request.headers.get("accept", ""))
        number = call.path("number")
        if re.search(NUMBER, number) is None:
            raise Problem("account_not_found")
        whose = owner(actor.role, actor.customer_id)
        rows = await self._queries.statement(number, whose, wanted.begins, wanted.ends, after, limit + 1)
        if not rows:
            raise Problem("account_not_found")
        if after is not None and rows[0]["after_at"] is None:
            raise _invalid("starting_after", "must be the id of the last entry of the page before")
        made = statement(rows, wanted, now, limit)
        headers = {"Vary": "Accept"}
        if made["has_more"]:
            headers["Link"] = _next(number, wanted, made["data"][-1]["id"], limit, form)
        if form == "json":
            return reply(made, headers=headers)
        name = f"statement_{number}_{wanted.first}_{wanted.last}.csv"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return Response(as_csv(made, first_page=after is None), 200, headers, "text/csv; header=present")


def _period(query: QueryParams, today: date) -> Period:
    try:
        return period(_day(query, "from"), _day(query, "to"), today)
    except PeriodError as error:
        raise _invalid(error.field, error.args[0]) from error


def _day(query: QueryParams, name: str) -> date | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise _invalid(name, "must be a day, as 2026-01-31") from error
    raise _invalid(name, "must be a day, as 2026-01-31")


def _page(query: QueryParams) -> tuple[int | None, int]:
    """Cursor and limit."""
    limit, after = query.get("limit", "100"), query.get("starting_after")
    if _DIGITS.fullmatch(limit) is None or not 1 <= int(limit) <= MAX_LIMIT:
        raise _invalid("limit", f"must be from 1 to {MAX_LIMIT}")
    if after is not None and _DIGITS.fullmatch(after) is None:
        raise _invalid("starting_after", "must be the id of the last entry of the page before")
    return None if after is None else int(after), int(limit)


def _format(query: QueryParams, accept: str) -> str:
    """`json` or `csv`: what `format` says, else what Accept prefers (RFC 9110), JSON when in doubt."""
    asked = query.get("format")
    if asked not in (None, "json", "csv"):
        raise _invalid("format", "must be json or csv")
    if asked is not None:
        return asked
    quality = {"application/json": 0.0, "text/csv": 0.0}
    for item in accept.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        if name in quality and re.fullmatch(r"[01](\.[0-9]{0,3})?", weight):
            quality[name] = float(weight)
    return "csv" if quality["text/csv"] > quality["application/json"] else "json"


def _next(number: str, wanted: Period, last: str, limit: int, form: str) -> str:
    """Where the next page is (RFC 8288)."""
    query = {"from": wanted.first, "to": wanted.last, "limit": limit, "starting_after": last, "format": form}
    return f'</v1/accounts/{number}/statements?{urlencode(query)}>; rel="next"'


def _invalid(field: str, message: str) -> Problem:
    return Problem("validation_failed", errors=[{"field": field, "message": message}])
