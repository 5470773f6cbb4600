"""Customers, their changes as events, and the version that caches compare."""

from payments.common.migration import create_outbox, run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_outbox("kyc")
    run_sql(__file__)
