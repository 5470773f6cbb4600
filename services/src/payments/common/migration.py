"""Helpers of the migrations: SQL lives in .sql files beside the revision that runs them."""

from pathlib import Path

from alembic import op

# See payments.common.outbox. Partial indexes: the relay only ever looks for what is not done yet.
_OUTBOX = """
CREATE TABLE {schema}.outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id     text NOT NULL,
    topic        text NOT NULL,
    key          text NOT NULL,
    type         text NOT NULL,
    payload      jsonb NOT NULL,
    traceparent  text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    sequence     bigint,
    published_at timestamptz,
    UNIQUE (topic, sequence)
);
CREATE INDEX outbox_unnumbered ON {schema}.outbox (id) WHERE sequence IS NULL;
CREATE INDEX outbox_unpublished ON {schema}.outbox (id) WHERE published_at IS NULL;
"""


def create_outbox(schema: str) -> None:
    """Create the outbox of an owner, before the SQL that writes to it; rights are granted there."""
    _execute(_OUTBOX.format(schema=schema))


def run_sql(revision_file: str) -> None:
    """Execute the .sql file that has the revision's name (may hold many statements and functions)."""
    _execute(Path(revision_file).with_suffix(".sql").read_text())


def _execute(sql: str) -> None:
    # The driver's own cursor: SQLAlchemy would read `:name` and `%` in the text as parameters.
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(sql)
