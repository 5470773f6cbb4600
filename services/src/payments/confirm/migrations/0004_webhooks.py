"""payments: webhook endpoints, their events and deliveries"""

from payments.common.migration import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql(__file__)
