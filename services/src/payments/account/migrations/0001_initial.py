"""Accounts, holds, transfers, entries and the outbox, with the functions that alone move money."""

from payments.common.migration import create_outbox, run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_outbox("accounts")
    run_sql(__file__)
