"""What is asked of the operator by annotations, a Job of the verification, and lines about a payment."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from kubectl_pp.kube import PLATFORMS, Failed, Kube, Object

GROUP = "paymentplatform.dev"
KEY_SETS = ("signing-keys", "encryption-keys", "database-passwords", "redis-password", "superuser-password")
VERIFICATION = "verification"
SERVICES = "app.kubernetes.io/part-of=payment-platform"


def rotate(kube: Kube, platform: Object, key_set: str) -> str:
    """Ask for a new key or password; the operator lets both be good until nobody needs the old one."""
    name = platform["metadata"]["name"]
    request = f"{key_set}@{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    kube.run("annotate", PLATFORMS, name, f"{GROUP}/rotate={request}", "--overwrite")
    return f"asked for: {request}; see: kubectl get events --field-selector involvedObject.name={name}"


def plan(
    kube: Kube, platform: Object, *, timeout: float = 60, sleep: Callable[[float], None] = time.sleep
) -> list[Object]:
    """What the operator would do now, by its dry run. Raises Failed when it does not answer in time."""
    name = platform["metadata"]["name"]
    with _annotated(kube, name, f"{GROUP}/dry-run"):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            status = kube.platform(name).get("status", {})
            found: list[Object] = status.get("conditions", [])
            if any(item["type"] == "Progressing" and item["reason"] == "DryRun" for item in found):
                entries: list[Object] = status.get("plan", [])
                return entries
            sleep(0.5)
    raise Failed(f"the operator did not answer within {timeout:.0f} s: does it run?")


@contextmanager
def _annotated(kube: Kube, name: str, annotation: str) -> Iterator[None]:
    kube.run("annotate", PLATFORMS, name, f"{annotation}=true", "--overwrite")
    try:
        yield
    finally:
        kube.run("annotate", PLATFORMS, name, f"{annotation}-")


def told(entries: list[Object]) -> Iterator[str]:
    """A plan in lines."""
    if not entries:
        yield "nothing: everything is as declared"
    for entry in entries:
        yield f"{entry['action'].lower():8} {entry['object']}"
        yield from (f"           {change}" for change in entry.get("changes", []))


def verify(kube: Kube, *, timeout: float = 600) -> tuple[bool, str]:
    """Prove the money now, by a Job like the scheduled one; whether all is well, and its report."""
    name = f"verify-{int(time.time())}"
    kube.run("create", "job", name, f"--from=cronjob/{VERIFICATION}")
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        status = kube.get("job", name).get("status", {})
        ended = {item["type"] for item in status.get("conditions", []) if item["status"] == "True"}
        if ended & {"Complete", "Failed"}:
            report = kube.run("logs", f"job/{name}", "--tail=-1")
            kube.run("delete", "job", name, "--wait=false")
            return "Complete" in ended, report
        time.sleep(1)
    raise Failed(f"job/{name} has not ended within {timeout:.0f} s: see kubectl logs job/{name}")


def logs(kube: Kube, payment: str, since: str) -> list[str]:
    """Every line of every service that names the payment, in order of time."""
    options = ["--all-containers", "--max-log-requests=100", "--tail=-1", f"--since={since}"]
    output = kube.run("logs", "--selector", SERVICES, *options, timeout=120)
    lines = output.splitlines()
    return sorted((line for line in lines if payment in line), key=_time)


def _time(line: str) -> str:
    try:
        return str(json.loads(line).get("timestamp", ""))
    except (ValueError, AttributeError):
        return ""
