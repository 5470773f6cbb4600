"""Challenges, tries, and the two functions that decide about them."""

from payments.common.migration import create_outbox, run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_outbox("otp")
    run_sql(__file__)
