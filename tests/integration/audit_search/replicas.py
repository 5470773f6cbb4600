"""Processes of audit-service that copy the trail, beside the stack's own."""

import re
import urllib.request
from pathlib import Path

from hack.dev.catalog import environment
from hack.dev.processes import Processes, wait_for
from hack.dev.stack import Stack
from hack.dev.stores import INFLUXDB_TOKEN, Stores
from tests.integration.gateway.conftest import free_port

# The trail also holds what other tests have put there, of January.
YEARS = 10 * 365 * 86_400


class Replicas:
    """The processes, by number."""

    def __init__(self, stack: Stack, stores: Stores, log_folder: Path) -> None:
        self.processes = Processes(log_folder)
        self._stack = stack
        self._stores = stores
        self._ports: dict[str, int] = {}

    def start(self, count: int) -> None:
        """Start that many and wait until they are ready."""
        for _ in range(count):
            port = free_port()
            name = f"audit-replica-{port}"
            self._ports[name] = port
            values = self.variables() | {"HTTP_PORT": str(port), "POD_NAME": name}
            self.processes.start(name, values)
        for name in self._ports:
            wait_for(self._url(name, "/ready"), seconds=120, alive=self.processes)

    def variables(self) -> dict[str, str]:
        """The environment of a pod that copies."""
        service = self._stack.services["audit-service"]
        values = environment(service, self._stack.identity, self._stack.servers, self._stack.ports)
        return values | {
            "SEARCH_URL": self._stores.url("search"),
            "SEARCH_RETENTION_SECONDS": str(YEARS),
            "INFLUXDB_URL": self._stores.url("influxdb"),
            "INFLUXDB_TOKEN": INFLUXDB_TOKEN,
        }

    def figures(self, name: str) -> dict[str, float]:
        """What one of them tells on /metrics of its copies."""
        with urllib.request.urlopen(self._url(name, "/metrics"), timeout=5) as response:
            text = response.read().decode()
        found = re.findall(r"^payments_audit_(\w+) (\S+)$", text, re.MULTILINE)
        return {figure: float(value) for figure, value in found}

    def names(self) -> list[str]:
        """Those that run."""
        return self.processes.names()

    def kill(self, name: str) -> None:
        """SIGKILL one."""
        self.processes.kill(name)
        del self._ports[name]

    def _url(self, name: str, path: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}{path}"
