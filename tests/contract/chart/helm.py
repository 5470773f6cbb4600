"""Renders the chart of the platform with the `helm` binary, as its users and the operator do."""

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[3] / "charts" / "payment-platform"
KUBE_VERSIONS = ("1.31.0", "1.34.0")
RELEASE, NAMESPACE = "shop", "payments-shop"
MANAGED: dict[str, Any] = {"operator": {"managed": True}}

Object = dict[str, Any]


class Refused(Exception):
    """The chart does not take the values; says what helm said."""


@cache
def helm() -> str:
    """Path of the binary: the cache of downloads and builds, else PATH. Raises FileNotFoundError."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "payment-platform"
    cached = Path(os.environ.get("PAYMENTS_CACHE") or default) / "bin" / "helm"
    found = str(cached) if cached.exists() else shutil.which("helm")
    if found is None:
        raise FileNotFoundError(f"no helm in {cached.parent} or PATH: run `make tools`")
    return found


def run(*arguments: str, values: Mapping[str, Any] | None = None) -> str:
    """What helm prints, with values from standard input. Raises Refused."""
    done = subprocess.run(
        [helm(), *arguments, "--values", "-"],
        input=yaml.safe_dump(dict(values or {})),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise Refused(done.stderr + done.stdout)
    return done.stdout


def template(values: Mapping[str, Any] | None = None, *options: str, kube: str = KUBE_VERSIONS[-1]) -> str:
    """The rendered chart as text. Raises Refused."""
    command = ("template", RELEASE, str(CHART), "--namespace", NAMESPACE, "--kube-version", kube)
    return run(*command, *options, values=values)


@cache
def _render(values: str, kube: str) -> list[Object]:
    text = template(json.loads(values), kube=kube)
    return [doc for doc in yaml.load_all(text, Loader=yaml.CSafeLoader) if doc]


def render(values: Mapping[str, Any] | None = None, kube: str = KUBE_VERSIONS[-1]) -> list[Object]:
    """The objects of the rendered chart, the caller's own. Raises Refused."""
    return copy.deepcopy(_render(json.dumps(values or {}), kube))


def named(objects: list[Object], kind: str) -> dict[str, Object]:
    """Objects of a kind by name."""
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Every pod template with the name of its workload (`app.kubernetes.io/name`)."""
    for item in objects:
        if item["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob"):
            spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
            pod = spec["template"]
            yield pod["metadata"]["labels"]["app.kubernetes.io/name"], pod


def environment(pod: Object) -> dict[str, Any]:
    """Variables of the pod's only container: text, or the `valueFrom`."""
    (container,) = pod["spec"]["containers"]
    entries = container.get("env", [])
    result = {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in entries}
    assert len(result) == len(entries), "a variable is set twice"
    return result


def catalog() -> dict[str, Any]:
    """The catalog of services."""
    loaded: dict[str, Any] = yaml.safe_load((CHART / "files" / "catalog.yaml").read_text())
    return loaded
