"""Internal accounts without a row that all payments to another bank wait for; returns that are compared."""

from payments.common.migration import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql(__file__)
