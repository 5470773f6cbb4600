"""A synchronous database connection, for what writes whole lists."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from payments.common.settings import DatabaseSettings


@contextmanager
def connection(settings: DatabaseSettings) -> Iterator[psycopg.Connection]:
    """A connection that commits at the end. Raises psycopg.Error."""
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
