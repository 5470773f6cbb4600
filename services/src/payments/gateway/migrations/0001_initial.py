"""users, sessions, revocations, outbox"""

from payments.common.migration import create_outbox, run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_outbox("gateway")
    run_sql(__file__)
