"""The programs of a backup as its pods run them: PostgreSQL's tools in their image, ours as processes."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hack.dev.catalog import REPOSITORY, python
from hack.dev.containers import reference
from hack.dev.identity import POSTGRES_PASSWORD

SCRIPTS = REPOSITORY / "charts/payment-platform/files/backup"
_MOUNTED = "/etc/payment-platform/backup"


@dataclass(frozen=True)
class Done:
    """How a program ended; `said` is what it left for the operator."""

    code: int
    output: str
    said: dict[str, Any]


@dataclass(frozen=True)
class Programs:
    """Programs that work on one store, from `folder`, which is theirs."""

    folder: Path
    server: tuple[str, int]
    store: dict[str, str] = field(default_factory=dict)

    def tool(
        self, script: str, database: str, more: Mapping[str, str] | None = None, *, user: int | None = None
    ) -> Done:
        """A script of the chart in the image of PostgreSQL, as the test's user by default."""
        variables = self._variables(database) | {"BACKUP_WORK": "/work"} | dict(more or {})
        user = os.getuid() if user is None else user
        command = ["docker", "run", "--rm", "--network=host", f"--user={user}:{user}"]
        command += [f"--volume={SCRIPTS}:{_MOUNTED}:ro", f"--volume={self._work}:/work"]
        command += [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
        command += ["--entrypoint=/bin/bash", reference("postgres"), f"{_MOUNTED}/{script}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        return Done(done.returncode, done.stdout + done.stderr, {})

    def ours(self, command: str, database: str = "none", **variables: str) -> Done:
        """A command of payments.backup."""
        last_words = self.folder / "termination-log"
        last_words.write_text("")
        own = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(REPOSITORY / "services/src"),
            "BACKUP_WORK": str(self._work),
            "BACKUP_FACTS_FILE": str(SCRIPTS / "facts.sql"),
            "BACKUP_TERMINATION_LOG": str(last_words),
            "BACKUP_PLATFORM_VERSION": "0.1.0",
        }
        done = subprocess.run(
            [python(), "-m", "payments.backup", command],
            env=self._variables(database) | own | self.store | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = last_words.read_text()
        return Done(done.returncode, done.stdout + done.stderr, json.loads(said) if said else {})

    def back_up(self, database: str, **variables: str) -> str:
        """Dump and store; the name of the backup."""
        dumped = self.tool("dump.sh", database, variables)
        assert dumped.code == 0, dumped.output
        stored = self.ours("store", database, **variables)
        assert stored.code == 0, stored.output
        return str(stored.said["name"])

    @property
    def _work(self) -> Path:
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        return work

    def _variables(self, database: str) -> dict[str, str]:
        return {
            "DATABASE_HOST": self.server[0],
            "DATABASE_PORT": str(self.server[1]),
            "DATABASE_NAME": database,
            "DATABASE_USER": "postgres",
            "DATABASE_PASSWORD": POSTGRES_PASSWORD,
        }
