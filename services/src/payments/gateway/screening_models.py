"""Bodies, queries and answers of sanctions screening and customer verification."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from payments.gateway.models import Id, Moment, PageQuery

_TEXT = r"^[^\x00-\x1f\x7f]*\Z"
Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=_TEXT, description="Kept on record.")]
Decision = Literal["clear", "possible_match", "match"]
Action = Literal["allow", "block"]
KycStatus = Literal["verified", "pending", "rejected", "documents_required", "expired", "unknown"]
Level = Literal["basic", "full", "enhanced"]
CustomerId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", description="Customer.", examples=["cust_001"])
]
EntryNumber = Annotated[int, Meta(ge=1, le=2**53, description="Number on the list.", examples=[900001])]
Stamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"}, examples=["2026-01-31T12:00:00Z"])]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Unknown members are refused."""


class CreateRuleRequest(_Strict):
    """Give `customer_id` or `name`. An allow names the list's entries that are somebody else."""

    action: Action
    reason: Reason
    customer_id: CustomerId | None = None
    name: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=500,
                pattern=_TEXT,
                description="A name as it is screened, in any order, such as a payee's at another bank.",
            ),
        ]
        | None
    ) = None
    entries: Annotated[
        list[EntryNumber],
        Meta(max_length=100, description="For an allow: it holds while the list says the same of them."),
    ] = []
    expires_at: Annotated[Moment, Meta(description="Without it the rule holds until it is ended.")] | None = (
        None
    )


class EndRuleQuery(_Strict):
    """Why a rule is ended."""

    reason: Annotated[str, Meta(max_length=500, pattern=_TEXT)] | None = None


class RulesQuery(PageQuery):
    """Which rules, the latest first."""

    customer_id: CustomerId | None = None
    name: Annotated[str, Meta(max_length=500, pattern=_TEXT)] | None = None
    in_force: bool | None = None


class DecisionsQuery(PageQuery):
    """Which decisions, the latest first."""

    customer_id: CustomerId | None = None
    decision: Decision | None = None


class RescreeningsQuery(_Strict):
    """A page of rescreenings, the latest list first."""

    limit: Annotated[int, Meta(ge=1, le=100, description="How many to return.")] = 20
    starting_after: (
        Annotated[str, Meta(pattern=r"^[0-9]{1,16}\Z", description="The last `list_version`.")] | None
    ) = None


class CustomersQuery(PageQuery):
    """Which customers, by their ids."""

    status: KycStatus | None = None


class KycDecisionRequest(_Strict):
    """What is decided about a customer's verification."""

    decision: Literal["approve", "reject", "require_documents"]
    reason: Reason
    level: Annotated[Level, Meta(description="Stays as it is when none is given.")] | None = None
    documents_expire_on: (
        Annotated[date, Meta(description="Last day on which the documents are good; with an approval only.")]
        | None
    ) = None


class ScreeningRule(msgspec.Struct, kw_only=True):
    """What an operator has decided about a customer or a name."""

    object: Literal["screening_rule"]
    id: Id
    action: Action
    customer_id: str | None
    name: str | None
    entries: list[int]
    reason: str
    made_by: str
    made_at: Stamp
    expires_at: Stamp | None
    revoked_at: Stamp | None
    revoked_by: str | None
    revoke_reason: str | None
    in_force: bool


class ScreeningDecision(msgspec.Struct, kw_only=True):
    """A decision with the list, the method and the thresholds that made it."""

    object: Literal["screening_decision"]
    id: Id
    customer_id: str | None
    name: str
    country: str | None
    date_of_birth: str | None
    decision: Decision
    score: float
    reasons: list[str]
    matches: Annotated[list[dict[str, Any]], Meta(description="Entries that look alike, with their scores.")]
    rules: Annotated[list[str], Meta(description="Rules that decided it.")]
    list_version: int
    list_hash: Annotated[str, Meta(description="SHA-256 of the list's files.")]
    algorithm: Annotated[str, Meta(examples=["words-letters-sounds"])]
    algorithm_version: Annotated[str, Meta(examples=["2"])]
    review_threshold: float
    match_threshold: float
    occasion: Literal["payment", "rescreening"]
    request_id: str
    made_at: Stamp


class Rescreening(msgspec.Struct, kw_only=True):
    """All customers, screened against one list."""

    object: Literal["rescreening"]
    list_version: int
    list_hash: str
    source: str
    state: Literal["running", "done", "superseded"]
    screened: int
    flagged: int
    newly_flagged: Annotated[int, Meta(description="Not flagged by the list before.")]
    started_at: Stamp
    finished_at: Stamp | None


class FlaggedCustomer(msgspec.Struct, kw_only=True):
    """A customer whom a list flagged."""

    object: Literal["flagged_customer"]
    customer_id: str
    decision_id: str
    decision: Decision
    entries: list[int]
    newly: bool


class SanctionsList(msgspec.Struct, kw_only=True):
    """The list in force. `confirmed_at` is when its source was last known to have no other."""

    object: Literal["sanctions_list"]
    id: int
    hash: str
    source: str
    entries: int
    bytes: int
    loaded_at: Stamp
    loaded_by: str
    confirmed_at: Stamp
    age_seconds: int
    stale: bool


class KycCustomer(msgspec.Struct, kw_only=True):
    """A customer and their verification."""

    object: Literal["kyc_customer"]
    id: str
    verified: bool
    status: KycStatus
    level: Level | None
    kind: Literal["individual", "business"] | None
    name: str | None
    country: str | None
    date_of_birth: str | None
    documents_expire_on: str | None
    version: int
    updated_at: Stamp


class KycDecision(msgspec.Struct, kw_only=True):
    """A decision about a customer's verification, and what it changed."""

    object: Literal["kyc_decision"]
    id: Id
    customer_id: str
    decision: Literal["approve", "reject", "require_documents", "expire"]
    reason: str
    level: Level
    documents_expire_on: str | None
    status_before: KycStatus
    status: KycStatus
    made_by: str
    made_at: Stamp
