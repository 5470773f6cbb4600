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
