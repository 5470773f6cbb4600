"""How far the copies of the trail in other stores have come."""

from payments.common.migration import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql(__file__)
