"""Helpers of the migrations: SQL lives in .sql files beside the revision that runs them."""

from pathlib import Path

from alembic import op


def run_sql(revision_file: str) -> None:
    """Execute the .sql file that has the revision's name (may hold many statements and functions)."""
    sql = Path(revision_file).with_suffix(".sql").read_text()
    # The driver's own cursor: SQLAlchemy would read `:name` and `%` in the text as parameters.
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(sql)
