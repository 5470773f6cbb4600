"""Rows of the ledger as JSON objects. Amounts are integer minor units."""

from typing import Any

from asyncpg import Record

from payments.common.clock import rfc3339


def account(row: Record) -> dict[str, Any]:
    """An account: `available` is what may be spent, `posted` minus `held`."""
    return {
        "object": "account",
        "account_number": row["account_number"],
        "customer_id": row["customer_id"],
        "kind": row["kind"],
        "account_type": row["account_type"],
        "name": row["name"],
        "currency": row["currency"],
        "status": row["status"],
        "balance": {
            "posted": row["posted_minor"],
            "held": row["held_minor"],
            "available": row["available_minor"],
        },
        "created_at": rfc3339(row["created_at"]),
    }


def entry(row: Record) -> dict[str, Any]:
    """A posting to one account: negative when money went out. The other side's number is masked."""
    return {
        "object": "entry",
        "id": str(row["id"]),
        "account_number": row["account_number"],
        "amount": row["amount_minor"],
        "balance_after": row["balance_after_minor"],
        "currency": row["currency"],
        "kind": row["kind"],
        "counterparty": row["counterparty"],
        "transfer_id": row["transfer_id"],
        "payment_id": row["payment_id"] if row["kind"] != "opening" else None,
        "refund_id": row["refund_id"],
        "created_at": rfc3339(row["created_at"]),
    }


def page(items: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """A page of at most `limit` items; one more tells that there are more."""
    return {"object": "list", "data": items[:limit], "has_more": len(items) > limit}
