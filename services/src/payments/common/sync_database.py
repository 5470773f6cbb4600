"""A synchronous database connection: for commands, Jobs, and what writes whole lists."""

from typing import Any

import psycopg

from payments.common.settings import DatabaseSettings


def connect(
    settings: DatabaseSettings, *options: str, timeout: int = 5, autocommit: bool = False, name: str = ""
) -> "psycopg.Connection[Any]":
    """A connection as the role of the settings; as a context manager it commits at the end.

    Args:
        options: settings of the session, as "statement_timeout=10s".
        timeout: seconds until it has to be there.
        name: `application_name` in PostgreSQL.

    Raises psycopg.OperationalError.
    """
    return psycopg.connect(
        host=settings.database_host,
        port=settings.database_port,
        dbname=settings.database_name,
        user=settings.database_user,
        password=settings.database_password.get_secret_value(),
        connect_timeout=timeout,
        autocommit=autocommit,
        application_name=name or None,
        options=" ".join(f"-c {option}" for option in options),
    )
