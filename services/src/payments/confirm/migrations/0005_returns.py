"""Refunds of payments to another bank."""

from payments.common.migration import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql(__file__)
