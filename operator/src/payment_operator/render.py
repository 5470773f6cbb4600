"""The chart rendered by ``helm template``: a pure function of values, chart and the cluster's version.

Helm runs in a process of its own (about 70 ms and 50 MB), so only when an input changed. What it answered is
kept compressed, for a platform has some eighty manifests and an operator may have hundreds of platforms.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from payment_operator import metrics
from payment_operator.errors import RenderFailed, RenderTimeout
from payment_operator.kinds import GROUP
from payment_operator.manifest import Object

CACHE_ENTRIES = 512
#: Annotation of a chart: the minor versions that it may follow, as "0.1, 0.2".
UPGRADES_FROM = f"{GROUP}/upgrades-from"
#: Annotation of a chart: the passwords that may change while it runs, as in the annotation of a platform.
ROTATES = f"{GROUP}/rotates"
PARALLEL = 2


@dataclass(frozen=True, slots=True)
class ClusterVersion:
    """What templates may ask about the cluster."""

    kube: str
    apis: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """All inputs of a render."""

    release: str
    namespace: str
    values: Mapping[str, Any]
    cluster: ClusterVersion


Run = Callable[[Sequence[str], str, float], str]


def run_helm(command: Sequence[str], stdin: str, timeout: float) -> str:
    """The output of a command. Raises RenderFailed with its error output, RenderTimeout, OSError."""
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=_ENVIRONMENT,
        )
    except subprocess.TimeoutExpired:
        raise RenderTimeout(
            f"helm did not end within {timeout:.0f} s: is the operator short of CPU?"
        ) from None
    if done.returncode != 0:
        raise RenderFailed(f"the chart refuses the spec: {_helm_message(done.stderr)}")
    return done.stdout


# Nothing of the operator's own environment is of use to helm; it needs a place to write.
_ENVIRONMENT = {
    "HOME": "/tmp",
    "HELM_CACHE_HOME": "/tmp",
    "HELM_CONFIG_HOME": "/tmp",
    "HELM_DATA_HOME": "/tmp",
}


def _helm_message(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if not line.startswith(("WARNING", "Use --debug"))]
    return " ".join(" ".join(lines).removeprefix("Error: ").split())[:2000]


def find_helm(name: str) -> str:
    """The path of the binary. Raises FileNotFoundError, so that the operator does not start without."""
    path = shutil.which(name)
    if path is None:
        raise FileNotFoundError(
            f"{name} is not there: install helm 3 or set PAYMENT_OPERATOR_HELM to its path"
        )
    return path


class Renderer:
    """Renders one chart, with a cache by the hash of the inputs. Thread-safe."""

    def __init__(self, chart: Path, *, helm: str, timeout: float, run: Run = run_helm) -> None:
        self._chart = chart
        self._helm = helm
        self._timeout = timeout
        self._run = run
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(PARALLEL)
        about = yaml.safe_load((chart / "Chart.yaml").read_text())
        self.version = str(about["version"])
        notes = about.get("annotations") or {}
        #: Minor versions from which this one may be reached.
        self.upgrades_from = _words(notes.get(UPGRADES_FROM, ""))
        #: Passwords whose overlap it knows.
        self.rotates = _words(notes.get(ROTATES, ""))
        self._chart_digest = _digest_of_files(chart)

    def render(self, request: Request) -> list[Object]:
        """The documents of the chart. Raises RenderFailed or RenderTimeout."""
        key = self._key(request)
        with self._lock:
            packed = self._cache.get(key)
            if packed is not None:
                self._cache.move_to_end(key)
        metrics.RENDERS.labels("helm" if packed is None else "cache").inc()
        if packed is None:
            packed = self._pack(request)
            with self._lock:
                self._cache[key] = packed
                while len(self._cache) > CACHE_ENTRIES:
                    self._cache.popitem(last=False)
        documents: list[Object] = json.loads(zlib.decompress(packed))
        return documents

    def _pack(self, request: Request) -> bytes:
        command = [
            self._helm,
            "template",
            request.release,
            str(self._chart),
            "--namespace",
            request.namespace,
        ]
        command += ["--no-hooks", "--kube-version", request.cluster.kube, "--values", "-"]
        for api in request.cluster.apis:
            command += ["--api-versions", api]
        with self._slots:
            text = self._run(command, json.dumps(request.values), self._timeout)
        documents = [item for item in yaml.load_all(text, Loader=yaml.CSafeLoader) if item]
        return zlib.compress(json.dumps(documents).encode())

    def _key(self, request: Request) -> str:
        inputs = [self._chart_digest, request.release, request.namespace, request.cluster.kube]
        text = json.dumps([*inputs, request.cluster.apis, request.values], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _words(text: object) -> tuple[str, ...]:
    return tuple(part.strip() for part in str(text).split(",") if part.strip())


def _digest_of_files(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        total.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()
