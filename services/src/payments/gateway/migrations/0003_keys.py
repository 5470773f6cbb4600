"""Which keys are in use, so that a rotation is told once."""

from payments.common.migration import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql(__file__)
