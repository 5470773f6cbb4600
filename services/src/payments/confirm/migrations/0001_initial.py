"""payments: tables and the shape of a payment"""

from payments.common.migration import create_outbox, run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_outbox("payments")
    run_sql(__file__)
