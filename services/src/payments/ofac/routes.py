"""Routes of ofac-service."""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from starlette.routing import Route

from payments.common.clock import utcnow
from payments.common.routes import Call, get, post
from payments.ofac.domain.decision import Decision, Subject
from payments.ofac.refresh import Freshness
from payments.ofac.screening import Kind
from payments.ofac.sdn import document
from payments.ofac.usecases import Screener

SOURCE = "OFAC_SDN_LIST"


class CheckRequest(msgspec.Struct):
    """Who is screened; `customer_id` is null for somebody who is no customer of ours, such as a payee.

    `documents` are numbers of passports, identity cards or registers.
    """

    name: Annotated[str, msgspec.Meta(max_length=512, pattern=r"\A[^\x00]*\Z")]
    customer_id: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._:-]{1,128}\Z")] | None = None
    country: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{2}\Z")] | None = None
    kind: Kind | None = None
    date_of_birth: date | None = None
    documents: Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(max_length=20)] = []


class CheckReply(msgspec.Struct):
    """The decision. `matches` also names what came close."""

    customer_id: str | None
    is_sanctioned: bool
    decision: Decision
    score: float
    reasons: tuple[str, ...]
    matches: list[dict[str, Any]]
    list_version: int
    decision_id: str
    check_timestamp: datetime
    source: str = SOURCE
    rules: tuple[str, ...] = ()


class VersionReply(msgspec.Struct):
    """`version` changes with the list, the rules and the method; `list` tells which list and how old."""

    version: str
    list: dict[str, Any] | None


class Routes:
    """The handlers for the other services."""

    def __init__(self, screener: Screener, freshness: Freshness) -> None:
        self._screener = screener
        self._freshness = freshness

    def routes(self) -> list[Route]:
        """All routes of the service."""
        return [post("/check-sanctions", CheckRequest, self.check), get("/version", self.version)]

    async def check(self, call: Call[CheckRequest]) -> CheckReply:
        """Screen and store the decision."""
        body = call.body
        if body.customer_id is not None:
            call.act_for(body.customer_id)
        documents = tuple(filter(None, map(document, body.documents)))
        subject = Subject(body.customer_id, body.name, body.country, body.date_of_birth, documents)
        outcome = await self._screener.screen(subject, body.kind)
        return CheckReply(
            customer_id=body.customer_id,
            is_sanctioned=outcome.screening.decision == "match",
            decision=outcome.screening.decision,
            score=round(outcome.screening.score, 4),
            reasons=outcome.screening.reasons,
            matches=outcome.matches,
            list_version=outcome.list_version,
            decision_id=outcome.decision_id,
            check_timestamp=utcnow(),
            rules=outcome.screening.rules,
        )

    async def version(self, _: Call[None]) -> VersionReply:
        """Whoever caches answers compares this."""
        return VersionReply(await self._screener.version(), await self._freshness.look())
