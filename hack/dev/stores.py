"""OpenSearch and InfluxDB as containers, on ports of the loopback, for tests of what is copied into them."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from hack.images import catalog

ORGANISATION, BUCKET = "payment-org", "payment-metrics"
INFLUXDB_PASSWORD = INFLUXDB_TOKEN = "only-for-development"  # noqa: S105


@dataclass(frozen=True)
class Store:
    """One container: image of the catalog, port inside, on the loopback from `first_port` on."""

    image: str
    port: int
    first_port: int
    health: str
    variables: tuple[str, ...] = ()


STORES = {
    "search": Store(
        "opensearch",
        9200,
        13920,
        "/_cluster/health",
        (
            "discovery.type=single-node",
            "DISABLE_SECURITY_PLUGIN=true",
            # It lives for minutes: the compiler that starts fast, not the one that makes fast code.
            "OPENSEARCH_JAVA_OPTS=-Xms384m -Xmx384m -XX:TieredStopAtLevel=1",
        ),
    ),
    "influxdb": Store("influxdb", 8086, 13886, "/health", ("INFLUXD_REPORTING_DISABLED=true",)),
}


@dataclass(frozen=True)
class Stores:
    """The containers of one session; `offset` moves their ports."""

    prefix: str
    offset: int = 0

    def url(self, name: str) -> str:
        """Base URL of a store."""
        return f"http://127.0.0.1:{STORES[name].first_port + self.offset}"

    def start(self) -> None:
        """Start both without waiting. Raises CalledProcessError; docker says why on stderr."""
        images = catalog.load("none").images
        self.stop()
        for name, store in STORES.items():
            variables = [part for variable in store.variables for part in ("--env", variable)]
            port = f"127.0.0.1:{store.first_port + self.offset}:{store.port}"
            command = ["docker", "run", "--detach", f"--name={self.prefix}-{name}", f"--publish={port}"]
            subprocess.run(
                [*command, *variables, images[store.image].reference],
                check=True,
                stdout=subprocess.DEVNULL,
                timeout=60,
            )

    def wait(self, name: str, seconds: float = 90) -> None:
        """Wait until a store answers. Raises TimeoutError with its last lines."""
        end = time.monotonic() + seconds
        while not self._answers(name):
            if time.monotonic() > end:
                logs = self._docker("logs", "--tail=15", name)
                raise TimeoutError(f"{name} did not start within {seconds:.0f} s:\n{logs}")
            time.sleep(0.3)

    def set_up_influxdb(self) -> None:
        """Make the organisation, the bucket and the token. Raises HTTPError when they are there already."""
        body = {
            "username": "development",
            "password": INFLUXDB_PASSWORD,
            "token": INFLUXDB_TOKEN,
            "org": ORGANISATION,
            "bucket": BUCKET,
        }
        request = urllib.request.Request(
            f"{self.url('influxdb')}/api/v2/setup",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=30).close()

    def kill(self, name: str) -> None:
        """SIGKILL; the data stay."""
        self._docker("kill", name)

    def freeze(self, name: str) -> None:
        """Stop its process: connections are taken, and nothing is answered."""
        self._docker("kill", "--signal=STOP", name)

    def restart(self, name: str) -> None:
        """Start what was killed, with the data it had, without waiting."""
        self._docker("start", name)

    def stop(self) -> None:
        """Remove both with their data."""
        names = [f"{self.prefix}-{name}" for name in STORES]
        subprocess.run(
            ["docker", "rm", "--force", "--volumes", *names], check=False, capture_output=True, timeout=60
        )

    def _docker(self, *words: str) -> str:
        *command, name = words
        done = subprocess.run(
            ["docker", *command, f"{self.prefix}-{name}"],
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        return done.stdout

    def _answers(self, name: str) -> bool:
        try:
            with urllib.request.urlopen(self.url(name) + STORES[name].health, timeout=2) as response:
                return bool(response.status == 200)
        except (OSError, urllib.error.HTTPError):
            return False
