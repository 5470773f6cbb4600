"""Sanctions lists, what persons decided about customers, and every decision made."""

from payments.common.migration import create_outbox, run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_outbox("ofac")
    run_sql(__file__)
