"""The logins of a role of the database: itself and a second one, so that a password can change with overlap.

PostgreSQL keeps one password for each role. So of two logins one is used and the other one is shut, until a
new password makes them change places. The second one is a member of the role and becomes it when it connects:
rights, schema and search path are those of the role.
"""

import logging
from pathlib import Path

import psycopg
from psycopg import sql

log = logging.getLogger("payments.logins")
SECOND = "_2"


def give_login(connection: psycopg.Connection, folder: Path, role: str) -> sql.Identifier:
    """Make the role, open the login that its Secret names, shut the other one unless it overlaps; the role.

    Args:
        folder: holds <role>/password; <role>/username names the login in use (without it: the role itself),
            and <role>/previous-username, while it is there, the one that is still good.
    """
    password = (folder / role / "password").read_text().strip()
    pair = {role, f"{role}{SECOND}"}
    login = _named(folder / role / "username") or role
    if login not in pair:
        # Brought by the user, for a pooler in front perhaps; it leads to the role.
        login = role
    previous = _named(folder / role / "previous-username")
    owner = sql.Identifier(role)
    if not _exists(connection, role):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(owner))
    if login != role:
        _make_second(connection, role, login)
    statement = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(login), sql.Literal(password)))
    for name in pair - {login, previous or login}:
        _shut(connection, name)
    return owner


def _make_second(connection: psycopg.Connection, role: str, login: str) -> None:
    if not _exists(connection, login):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(login)))
    owner, member = sql.Identifier(role), sql.Identifier(login)
    connection.execute(sql.SQL("GRANT {} TO {}").format(owner, member))
    connection.execute(sql.SQL("ALTER ROLE {} SET role = {}").format(member, sql.Literal(role)))


def _shut(connection: psycopg.Connection, login: str) -> None:
    """No new session, and none that is left: whoever should use it has the other one by now."""
    found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s AND rolcanlogin", [login]).fetchone()
    if found is None:
        return
    connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(sql.Identifier(login)))
    try:
        with connection.transaction():
            ended = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s", [login]
            ).fetchone()
    except psycopg.errors.InsufficientPrivilege as error:
        log.warning("sessions of %s end when they like: %s", login, str(error).strip())
    else:
        log.info("login %s is shut, %d sessions ended", login, ended[0] if ended else 0)


def _exists(connection: psycopg.Connection, name: str) -> bool:
    return connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone() is not None


def _named(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""
