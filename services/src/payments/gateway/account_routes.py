"""Accounts and the audit trail, read from their owners."""

from payments.gateway import answers, models
from payments.gateway.domain import AUDITOR
from payments.gateway.operations import Operation
from payments.gateway.passthrough import Passthrough


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
            response=answers.Page[answers.Account],
        ),
        Operation(
            method="GET",
            path="/v1/accounts/{number}",
            summary="Read an account",
            tag="Accounts",
            endpoint=account.get("/v1/accounts/{number}", models.NoQuery),
            response=answers.Account,
            errors=("account_not_found",),
        ),
        Operation(
            method="GET",
            path="/v1/accounts/{number}/entries",
            summary="List what was posted on an account",
            tag="Accounts",
            endpoint=account.get("/v1/accounts/{number}/entries", models.EntriesQuery),
            query=models.EntriesQuery,
            response=answers.Page[answers.Entry],
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
            response=answers.Page[answers.AuditEvent],
            errors=("forbidden",),
        ),
    ]
