"""payments: one function for each phase of a refund"""

from payments.common.migration import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql(__file__)
