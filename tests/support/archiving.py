"""PostgreSQL as its pod runs it, by the chart's own scripts, with its log to be archived."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from hack.dev.catalog import REPOSITORY
from hack.dev.containers import reference
from hack.dev.identity import POSTGRES_PASSWORD

SCRIPTS = REPOSITORY / "charts/payment-platform/files/postgres"
_MOUNTED = "/etc/payment-platform/postgres"
DATABASE, USER = "payment_db", 999


class Server:
    """A container; its data stay when it is stopped."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.address = ("127.0.0.1", port)

    def connect(self) -> "psycopg.Connection[Any]":
        """As superuser."""
        host, port = self.address
        return psycopg.connect(
            host=host,
            port=port,
            dbname=DATABASE,
            user="postgres",
            password=POSTGRES_PASSWORD,
            autocommit=True,
            connect_timeout=5,
        )

    def wait(self) -> None:
        """Until it is ready, as the probe finds it."""
        end = time.monotonic() + 60
        while self._exec("ready.sh") != 0:
            assert time.monotonic() < end, docker("logs", "--tail=20", self.name, check=False)
            time.sleep(0.2)

    def stop(self) -> float:
        """As Kubernetes does before it ends the pod; seconds that it took."""
        began = time.monotonic()
        self._exec("stop.sh")
        docker("wait", self.name)
        return time.monotonic() - began

    def start(self) -> None:
        """With the data that it had."""
        docker("start", self.name)
        self.wait()

    def _exec(self, script: str) -> int:
        command = ["docker", "exec", self.name, "/bin/sh", f"{_MOUNTED}/{script}"]
        return subprocess.run(command, capture_output=True, timeout=90, check=False).returncode


@contextmanager
def server(folder: Path, name: str, port: int) -> Iterator[Server]:
    """One that runs, on a port of the loopback."""
    password, data = folder / "superuser", folder / "data"
    password.mkdir(parents=True)
    (password / "password").write_text(POSTGRES_PASSWORD)
    data.mkdir()
    os.chown(data, USER, USER)
    variables = {
        "PGDATA": "/var/lib/postgresql/data/pgdata",
        "DATABASE_NAME": DATABASE,
        "MAX_CONNECTIONS": "50",
        "MEMORY_LIMIT_MIB": "512",
        "ARCHIVE": "true",
    }
    docker("rm", "--force", name, check=False)
    docker(
        "run",
        "--detach",
        f"--name={name}",
        f"--user={USER}:{USER}",
        f"--publish=127.0.0.1:{port}:5432",
        f"--volume={SCRIPTS}:{_MOUNTED}:ro",
        f"--volume={password}:/etc/payment-platform/superuser:ro",
        f"--volume={data}:/var/lib/postgresql/data",
        f"--tmpfs=/var/run/postgresql:uid={USER},gid={USER}",
        *(f"--env={key}={value}" for key, value in variables.items()),
        "--entrypoint=/bin/sh",
        reference("postgres"),
        f"{_MOUNTED}/start.sh",
    )
    made = Server(name, port)
    try:
        made.wait()
        yield made
    finally:
        docker("rm", "--force", "--volumes", name, check=False)


def docker(*arguments: str, check: bool = True) -> str:
    """Its output."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=90, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout + done.stderr
