"""The whole payment system as local processes: migrated database, topics, ten services."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import psycopg

from hack.dev.catalog import REPOSITORY, Servers, Service, environment, python, services
from hack.dev.identity import POSTGRES_PASSWORD, Identity
from hack.dev.processes import Processes, wait_for

FIRST_PORT = 13000


class Stack:
    """Services on ports FIRST_PORT + (catalog port - 3000) + offset, all on the loopback."""

    def __init__(
        self,
        folder: Path,
        servers: Servers,
        *,
        offset: int = 0,
        log_folder: Path | None = None,
        variables: dict[str, str] | None = None,
    ) -> None:
        self.servers = servers
        self.identity = Identity(folder)
        self.services = services()
        self.ports = {name: FIRST_PORT + s.port - 3000 + offset for name, s in self.services.items()}
        self.processes = Processes(log_folder)
        self._variables = variables or {}

    def url(self, service: str) -> str:
        """Base URL of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def admin_dsn(self, database: str | None = None) -> str:
        """Connection string of the superuser, for migrations and for oracles in tests."""
        host, port = self.servers.postgres
        name = database or self.servers.database
        return f"postgresql://postgres:{POSTGRES_PASSWORD}@{host}:{port}/{name}"

    def prepare(self) -> None:
        """Create and migrate the database and the topics; safe to repeat. Raises CalledProcessError."""
        with psycopg.connect(self.admin_dsn("postgres"), autocommit=True) as connection:
            found = connection.execute(
                "SELECT FROM pg_database WHERE datname = %s", [self.servers.database]
            ).fetchone()
            if found is None:
                name = psycopg.sql.Identifier(self.servers.database)
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(name))
        self._job("payments.migrate")
        self._job("payments.topics")

    def start(self, names: Iterable[str] | None = None) -> None:
        """Start the named services (all by default) and wait until each is ready."""
        chosen = list(self.services if names is None else names)
        for name in chosen:
            self.start_one(name)
        for name in chosen:
            wait_for(f"{self.url(name)}/ready", seconds=120, alive=self.processes)

    def start_one(self, name: str) -> None:
        """Start one service without waiting."""
        service = self.services[name]
        self.processes.start(name, self._environment(service))

    def stop(self) -> None:
        """Stop all services."""
        self.processes.stop()

    def _environment(self, service: Service) -> dict[str, str]:
        return environment(service, self.identity, self.servers, self.ports) | self._variables

    def _job(self, module: str) -> None:
        host, port = self.servers.postgres
        roles = [*(service.schema for service in self.services.values() if service.schema), "verification"]
        variables = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(REPOSITORY / "services/src"),
            "DATABASE_HOST": host,
            "DATABASE_PORT": str(port),
            "DATABASE_NAME": self.servers.database,
            "DATABASE_USER": "postgres",
            "DATABASE_PASSWORD": POSTGRES_PASSWORD,
            "ROLE_PASSWORDS_DIR": str(self.identity.role_passwords(roles)),
            "SEED_DEMO": "true",
            "KAFKA_BOOTSTRAP_SERVERS": "{}:{}".format(*self.servers.kafka),
        }
        subprocess.run([python(), "-m", module], env=variables, check=True, timeout=180)


def verification_environment(servers: Servers) -> dict[str, str]:
    """Variables of `python3 -m payments.verification`, which logs in as a role of its own."""
    return {
        "PYTHONPATH": str(REPOSITORY / "services/src"),
        "DATABASE_HOST": servers.postgres[0],
        "DATABASE_PORT": str(servers.postgres[1]),
        "DATABASE_NAME": servers.database,
        "DATABASE_USER": "verification",
        "DATABASE_PASSWORD": "dev-verification",
        "KAFKA_BOOTSTRAP_SERVERS": "{}:{}".format(*servers.kafka),
    }
