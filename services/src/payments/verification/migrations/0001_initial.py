"""The results of verifications."""

from payments.common.migration import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql(__file__)
