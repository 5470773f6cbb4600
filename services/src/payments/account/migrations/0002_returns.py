"""Returns from the partner bank, holds that expire, one currency for each posting."""

from payments.common.migration import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql(__file__)
