"""Brings the database to this version: roles, schemas, migrations of each owner, demo data.

Run by a Job before the services of a version roll, as a superuser (or a role with CREATEROLE that owns the
database). It can be interrupted and run again: one owner is one transaction.
"""

import argparse
import importlib.util
import logging
import sys
import time
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from pydantic import Field
from sqlalchemy import URL, Connection, create_engine

from payments.common import logs
from payments.common.settings import DatabaseSettings
from payments.common.sync_database import connect
from payments.logins import give_login
from payments.synthetic import customer
from payments.verification import grants

log = logging.getLogger("payments.migrate")
PACKAGE = Path(__file__).parent

# Module -> schema; the role that the service logs in as has its schema's name.
OWNERS = {
    "gateway": "gateway",
    "kyc": "kyc",
    "ofac": "ofac",
    "account": "accounts",
    "confirm": "payments",
    "otp": "otp",
    "notification": "notification",
    "audit": "audit",
    "partner_bank": "bank",
    "verification": "verification",
}

# Role of the exporter of PostgreSQL's metrics, where there is one: it sees statistics and no table of ours.
WATCHER = "metrics"


class Settings(DatabaseSettings):
    """Settings of the migration Job."""

    role_passwords_dir: Path = Field(
        description="Holds <role>/password for each role; may hold username and previous-username, too."
    )
    seed_demo: bool = False
    seed_synthetic: bool = Field(default=False, description="Make the customer of the synthetic payments.")
    synthetic_credentials_dir: Path = Field(
        default=Path("/etc/payment-platform/synthetic"), description="Its username and password, as files."
    )
    wait_seconds: float = Field(default=120, description="How long the database may take to answer.")


def main() -> int:
    """Migrate everything; 0 when the database is at this version."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=OWNERS, help="migrate one owner")
    arguments = parser.parse_args()
    logs.configure("migrate", "INFO")
    settings = Settings()  # type: ignore[call-arg]  # filled from the environment
    engine = create_engine(
        URL.create(
            "postgresql+psycopg",
            settings.database_user,
            settings.database_password.get_secret_value(),
            settings.database_host,
            settings.database_port,
            settings.database_name,
        ),
        connect_args={"connect_timeout": 5},
    )
    _wait(settings)
    for module, schema in OWNERS.items():
        if arguments.only in (None, module):
            began = time.monotonic()
            with engine.begin() as connection:
                _prepare_role(_cursor(connection), settings, schema)
                _migrate(connection, module, schema)
                if settings.seed_demo:
                    _seed(connection, module)
                if settings.seed_synthetic:
                    customer.seed(_cursor(connection), module, settings.synthetic_credentials_dir)
            log.info("%s is up to date (%.1f s)", schema, time.monotonic() - began)
    if arguments.only is None:  # it needs the tables of all owners
        with engine.begin() as connection:
            grants.grant(_cursor(connection))
        if (settings.role_passwords_dir / WATCHER / "password").exists():
            with engine.begin() as connection:
                _prepare_watcher(_cursor(connection), settings)
    return 0


def _wait(settings: Settings) -> None:
    end = time.monotonic() + settings.wait_seconds
    while True:
        try:
            connect(settings, timeout=3).close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > end:
                raise
            log.info("waiting for the database: %s", str(error).strip().splitlines()[-1])
            time.sleep(1)


def _cursor(connection: Connection) -> psycopg.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _prepare_role(connection: psycopg.Connection, settings: Settings, schema: str) -> None:
    """The role with the password of its Secret, and a schema that it can use but does not own."""
    role = give_login(connection, settings.role_passwords_dir, schema)
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(role))
    connection.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM PUBLIC").format(role))
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(role, role))


def _prepare_watcher(connection: psycopg.Connection, settings: Settings) -> None:
    """The role of the metrics; where we may not give it the server's own role for that, it sees less."""
    role = give_login(connection, settings.role_passwords_dir, WATCHER)
    try:
        with connection.transaction():
            connection.execute(sql.SQL("GRANT pg_monitor TO {}").format(role))
    except psycopg.errors.InsufficientPrivilege as error:
        log.warning("%s sees a part of the statistics only: %s", WATCHER, str(error).strip())


def _migrate(connection: Connection, module: str, schema: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(PACKAGE / "migrations"))
    config.set_main_option("version_locations", str(PACKAGE / module / "migrations"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    command.upgrade(config, "head")
    grant = sql.SQL("GRANT SELECT ON {}.alembic_version TO {}")
    _cursor(connection).execute(grant.format(sql.Identifier(schema), sql.Identifier(schema)))


def _seed(connection: Connection, module: str) -> None:
    """Demo data of an owner: `seed(connection)` of its module seed.py, if it has one; idempotent."""
    name = f"payments.{module}.seed"
    if importlib.util.find_spec(name) is not None:
        importlib.import_module(name).seed(_cursor(connection))


if __name__ == "__main__":
    sys.exit(main())
