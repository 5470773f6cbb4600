"""The database connection of the command line tools, from the service's own environment."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from payments.common.settings import DatabaseSettings


@contextmanager
def connection() -> Iterator[psycopg.Connection]:
    """A connection that commits at the end. Raises pydantic.ValidationError or psycopg.Error."""
    settings = DatabaseSettings()  # type: ignore[call-arg]  # filled from the environment
    with psycopg.connect(
        host=settings.database_host,
        port=settings.database_port,
        dbname=settings.database_name,
        user=settings.database_user,
        password=settings.database_password.get_secret_value(),
        connect_timeout=5,
        options="-c statement_timeout=120000",
    ) as opened:
        yield opened
