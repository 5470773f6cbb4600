"""Accounts and the audit trail, read from their owners."""

from payments.gateway import models
from payments.gateway.account_answers import Account, Entry, Statement
from payments.gateway.answers import AuditEvent, Page
from payments.gateway.domain import AUDITOR
from payments.gateway.operations import Operation
from payments.gateway.passthrough import Passthrough

_STATEMENT = """\
Opening and closing balance, totals and entries of up to 366 days, as JSON or, with `Accept: text/csv` or
`format=csv`, as CSV with decimal amounts. `Link` with `rel="next"` names the next page."""
_CSV = """\
type,id,booked_at,credit_debit,amount,currency,balance,kind,counterparty,payment_id,refund_id,transfer_id
OPBD,,2026-01-01,,,USD,15000.00,,,,,
NTRY,42,2026-01-15T12:00:00.000Z,DBIT,12.34,USD,14987.66,payment,**C002,txn_001,,0199c0de-0000-7000-8000-000000000001
CLBD,,2026-01-31,,,USD,14987.66,,,,,
"""


def operations(account: Passthrough, audit: Passthrough) -> list[Operation]:
    """What account-service and audit-service tell people."""
    return [
        Operation(
            method="GET",
            path="/v1/accounts",
            summary="List one's accounts",
            tag="Accounts",
            endpoint=account.get("/v1/accounts", models.PageQuery),
            query=models.PageQuery,
            response=Page[Account],
        ),
        Operation(
            method="GET",
            path="/v1/accounts/{number}",
            summary="Read an account",
            tag="Accounts",
            endpoint=account.get("/v1/accounts/{number}", models.NoQuery),
            response=Account,
            errors=("account_not_found",),
        ),
        Operation(
            method="GET",
            path="/v1/accounts/{number}/entries",
            summary="List what was posted on an account",
            tag="Accounts",
            endpoint=account.get("/v1/accounts/{number}/entries", models.EntriesQuery),
            query=models.EntriesQuery,
            response=Page[Entry],
            errors=("account_not_found",),
        ),
        Operation(
            method="GET",
            path="/v1/accounts/{number}/statements",
            summary="Read a statement of an account",
            description=_STATEMENT,
            tag="Accounts",
            endpoint=account.get("/v1/accounts/{number}/statements", models.StatementQuery, accept=True),
            query=models.StatementQuery,
            response=Statement,
            media=(("text/csv", _CSV),),
            errors=("account_not_found",),
        ),
        Operation(
            method="GET",
            path="/v1/audit/events",
            summary="Search the audit trail",
            description="Auditors only.",
            tag="Audit",
            endpoint=audit.get("/events", models.AuditQuery, roles=(AUDITOR,)),
            query=models.AuditQuery,
            response=Page[AuditEvent],
            errors=("forbidden",),
        ),
    ]
