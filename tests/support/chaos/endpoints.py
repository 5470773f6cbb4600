"""How many pods of each service are ready, at every change that the API server tells."""

import subprocess
import threading
import time

from hack.kubectl import Cluster
from hack.up import NAMESPACE

_LINE = r'jsonpath={.metadata.labels.kubernetes\.io/service-name}{" "}{.endpoints[*].conditions.ready}{"\n"}'


class Endpoints:
    """Watches the EndpointSlices of the platform; use as a context.

    Attributes:
        least: by service the fewest that were ready at once.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.least: dict[str, int] = {}
        self.now: dict[str, int] = {}
        self.changes = 0
        command = ["kubectl", "--context", cluster.settings.context, "-n", NAMESPACE]
        command += ["get", "endpointslices", "--watch", "-o", _LINE]
        self._process = subprocess.Popen(
            command, env=cluster.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "Endpoints":
        self._reader.start()
        end = time.monotonic() + 30
        while len(self.now) < 5:
            if time.monotonic() > end:
                self.__exit__()
                raise AssertionError("no EndpointSlices within 30 s")
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._reader.join(10)
        self._output.close()

    @property
    def watching(self) -> bool:
        """False when changes may have been missed."""
        return self._process.poll() is None

    def _read(self) -> None:
        for line in self._output:
            name, _, states = line.partition(" ")
            ready = states.split().count("true")
            self.changes += 1
            self.now[name] = ready
            self.least[name] = min(ready, self.least.get(name, ready))
