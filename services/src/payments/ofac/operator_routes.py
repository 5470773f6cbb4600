"""Routes of ofac-service for operators: what was decided, rules, rescreenings, the list."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from starlette.routing import Route

from payments.common.clock import utcnow
from payments.common.errors import Problem
from payments.common.routes import B, Call, field_error, get, post, reply
from payments.ofac.decision_log import DecisionLog
from payments.ofac.domain.decision import Action, Decision
from payments.ofac.domain.names import key
from payments.ofac.refresh import Freshness
from payments.ofac.rescreen_store import RescreenStore
from payments.ofac.rule_store import NewRule, RuleStore
from payments.ofac.usecases import Screener

T = TypeVar("T")
READERS = ("operator", "auditor")

_Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._:-]{1,128}\Z")]
_Number = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
_Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
_Text = Annotated[str, msgspec.Meta(max_length=500, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]


class _Query(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    limit: _Limit = 20
    starting_after: _Id | None = None


class _Decisions(_Query):
    customer_id: _Id | None = None
    decision: Decision | None = None


class _Rules(_Query):
    customer_id: _Id | None = None
    name: _Text | None = None
    in_force: bool | None = None


class _Flagged(_Query):
    pass


class _Reason(msgspec.Struct, forbid_unknown_fields=True):
    reason: _Text | None = None


class RuleRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A rule about a customer, or about a name; an allow names the list's entries that it is about."""

    action: Action
    reason: _Text
    customer_id: _Id | None = None
    name: _Text | None = None
    entries: Annotated[list[_Number], msgspec.Meta(max_length=100)] = []
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class OperatorRoutes:
    """The handlers. Each asks for the person behind the call: operators decide, auditors may look."""

    def __init__(
        self,
        screener: Screener,
        log: DecisionLog,
        rules: RuleStore,
        rescreenings: RescreenStore,
        freshness: Freshness,
    ) -> None:
        self._screener = screener
        self._log = log
        self._rules = rules
        self._rescreenings = rescreenings
        self._freshness = freshness

    def routes(self) -> list[Route]:
        """All routes for operators."""
        return [
            get("/v1/screening/decisions", self.decisions),
            get("/v1/screening/decisions/{id}", self.decision),
            get("/v1/screening/rules", self.rules),
            post("/v1/screening/rules", RuleRequest, self.make_rule),
            get("/v1/screening/rules/{id}", self.rule),
            get("/v1/screening/rules/{id}", self.end_rule, method="DELETE"),
            get("/v1/screening/rescreenings", self.rescreenings),
            get("/v1/screening/rescreenings/{list_version}", self.rescreening),
            get("/v1/screening/rescreenings/{list_version}/customers", self.flagged),
            get("/v1/screening/list", self.the_list),
        ]

    async def decisions(self, call: Call[None]) -> Any:
        """A page of decisions."""
        call.required_actor(*READERS)
        asked = query(call, _Decisions)
        found = await self._log.page(
            customer_id=asked.customer_id,
            decision=asked.decision,
            after=asked.starting_after,
            limit=asked.limit + 1,
        )
        return page(found, asked.limit)

    async def decision(self, call: Call[None]) -> Any:
        """One decision."""
        call.required_actor(*READERS)
        return await self._log.get(call.path("id"))

    async def rules(self, call: Call[None]) -> Any:
        """A page of rules."""
        call.required_actor(*READERS)
        asked = query(call, _Rules)
        found = await self._rules.page(
            customer_id=asked.customer_id,
            name=asked.name,
            in_force=asked.in_force,
            after=asked.starting_after,
            limit=asked.limit + 1,
        )
        return page(found, asked.limit)

    async def rule(self, call: Call[None]) -> Any:
        """One rule."""
        call.required_actor(*READERS)
        return await self._rules.get(call.path("id"))

    async def make_rule(self, call: Call[RuleRequest]) -> Any:
        """Block or allow. 201 with the rule."""
        actor = call.required_actor("operator")
        asked = call.body
        _check(asked)
        rule = NewRule(
            request_key=f"{actor.user_id}:{_idempotency_key(call)}",
            action=asked.action,
            customer_id=asked.customer_id,
            name=asked.name,
            reason=asked.reason,
            made_by=actor.user_id,
            expires_at=asked.expires_at,
            entries=await self._screener.fingerprints(asked.entries) if asked.entries else {},
        )
        made, replayed = await self._rules.create(rule)
        return reply(made, 201, {"Idempotent-Replayed": "true"} if replayed else None)

    async def end_rule(self, call: Call[None]) -> Any:
        """End a rule: it stays on record."""
        actor = call.required_actor("operator")
        reason = query(call, _Reason).reason
        return await self._rules.revoke(call.path("id"), by=actor.user_id, reason=reason)

    async def rescreenings(self, call: Call[None]) -> Any:
        """A page of rescreenings."""
        call.required_actor(*READERS)
        asked = query(call, _Query)
        after = None if asked.starting_after is None else _number(asked.starting_after, "starting_after")
        return page(await self._rescreenings.page(after, asked.limit + 1), asked.limit)

    async def rescreening(self, call: Call[None]) -> Any:
        """One list's rescreening."""
        call.required_actor(*READERS)
        return await self._rescreenings.get(_number(call.path("list_version")))

    async def flagged(self, call: Call[None]) -> Any:
        """A page of the customers whom a list flagged."""
        call.required_actor(*READERS)
        asked, number = query(call, _Flagged), _number(call.path("list_version"))
        await self._rescreenings.get(number)
        found = await self._rescreenings.flagged(number, asked.starting_after, asked.limit + 1)
        return page(found, asked.limit)

    async def the_list(self, call: Call[None]) -> Any:
        """The list in force and its age."""
        call.required_actor(*READERS)
        found = await self._freshness.look()
        if found is None:
            raise Problem("not_found", "No sanctions list is loaded")
        return {"object": "sanctions_list", **found}


def query(call: Call[B], kind: type[T]) -> T:
    """The query as `kind`. Raises Problem(validation_failed)."""
    try:
        return msgspec.convert(dict(call.request.query_params), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Problem("validation_failed", errors=[field_error(error)]) from error


def page(found: Any, limit: int) -> dict[str, Any]:
    """A page of a list of which one item more than `limit` was read."""
    return {"object": "list", "data": found[:limit], "has_more": len(found) > limit}


def _check(asked: RuleRequest) -> None:
    """Raises Problem for what the types cannot say."""
    errors = []
    if not asked.reason.strip():
        errors.append({"field": "reason", "message": "is required"})
    if (asked.customer_id is None) == (asked.name is None):
        errors.append({"field": "customer_id", "message": "give either customer_id or name"})
    if asked.name is not None and not key(asked.name):
        errors.append({"field": "name", "message": "has no letters"})
    if asked.action == "allow" and not asked.entries:
        errors.append({"field": "entries", "message": "an allow names the entries that it is about"})
    if asked.action == "block" and asked.entries:
        errors.append({"field": "entries", "message": "a block holds whatever the list says; leave it out"})
    if asked.expires_at is not None and asked.expires_at <= utcnow():
        errors.append({"field": "expires_at", "message": "must be in the future"})
    if errors:
        raise Problem("validation_failed", errors=errors)


def _idempotency_key(call: Call[B]) -> str:
    given = call.request.headers.get("idempotency-key", "")
    if not given:
        raise Problem("missing_idempotency_key")
    return str(given)


def _number(text: str, field: Literal["", "starting_after"] = "") -> int:
    if text.isdecimal() and text.isascii() and len(text) < 17:
        return int(text)
    if field:
        raise Problem("validation_failed", errors=[{"field": field, "message": "is no number"}])
    raise Problem("not_found")
