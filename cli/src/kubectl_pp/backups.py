"""A backup now, and a new platform from one: both asked of the operator, which tells how they go."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kubectl_pp.kube import PLATFORMS, Failed, Kube, Object
from kubectl_pp.tree import condition

BACKUP_ANNOTATION = "paymentplatform.dev/backup"
#: Of a Secret, what makes it the same one elsewhere.
_SECRET = ("apiVersion", "kind", "type", "data")


def back_up(
    kube: Kube, platform: Object, *, timeout: float, sleep: Callable[[float], None] = time.sleep
) -> str:
    """Make a backup and wait for it; its name. Raises Failed with the operator's words."""
    name = platform["metadata"]["name"]
    current = condition(platform, "BackupsCurrent")
    if current.get("reason") == "Disabled":
        raise Failed(f"{name} makes no backups: set spec.backup.enabled")
    if platform["spec"].get("paused"):
        raise Failed(f"{name} is paused, so the operator does nothing: set spec.paused to false")
    before = _told(platform)
    request = f"now-{datetime.now(UTC):%Y%m%dt%H%M%S%fz}"
    kube.run("annotate", PLATFORMS, name, f"{BACKUP_ANNOTATION}={request}", "--overwrite")
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = _told(kube.platform(name))
        if found.get("request") == request:
            if found.get("lastName") != before.get("lastName"):
                return str(found["lastName"])
            if found.get("lastFailure") != before.get("lastFailure"):
                failure = found["lastFailure"]
                raise Failed(f"job/{failure['job']} failed: {failure['message']}")
        sleep(1)
    raise Failed(
        f"no backup within {timeout:.0f} s: see kubectl get jobs -l app.kubernetes.io/component=backup"
    )


def moment(text: str) -> str:
    """A moment as spec.restoreFrom.targetTime has it, in UTC. Raises Failed."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Failed(f"{text!r} is no moment: write date, time and zone, as 2026-11-23T14:05:00+01:00")
    return found.astimezone(UTC).isoformat().replace("+00:00", "Z")


def copy_of(platform: Object, origin: Object, namespace: str, name: str, host: str) -> Object:
    """The manifest of a platform like this one in another namespace, which starts from its backup.

    Args:
        origin: which backup, as spec.restoreFrom has it: {"name": …} or {"targetTime": …}.

    Without what can be in a cluster but once: fixed node ports, and the host of the Ingress. Raises Failed
    when the backup, or the new platform's way in, cannot be had there.
    """
    spec: dict[str, Any] = _without(platform["spec"], "nodePort")
    for field in ("paused", "restoreFrom"):
        spec.pop(field, None)
    if spec.get("postgres", {}).get("mode") == "External":
        raise Failed("spec.postgres is External: write a manifest that names a database of its own")
    bucket = spec.get("backup", {}).get("storage", {}).get("s3")
    if not bucket:
        raise Failed(
            "the backups lie in a volume, which no other namespace can mount: set spec.backup.storage.s3, "
            "or restore in this namespace, as the README has it"
        )
    ingress = spec.get("loadBalancer", {}).get("ingress", {})
    if ingress.get("host"):
        if host in ("", ingress["host"]):
            raise Failed(f"{ingress['host']} is the present platform's: name another host by --host")
        ingress["host"] = host
    # Two platforms that thin out one folder would delete each other's backups.
    folder = f"{bucket.get('prefix', '')}/{namespace}".lstrip("/")
    spec["backup"]["storage"]["s3"] = bucket | {"prefix": folder}
    return {
        "apiVersion": platform["apiVersion"],
        "kind": platform["kind"],
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec | {"restoreFrom": origin | {"s3": bucket}},
    }


def restore(
    kube: Kube,
    manifest: Object,
    *,
    timeout: float,
    tell: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Object:
    """Create the platform, with the bucket's Secret, and wait until it is Ready; the platform.

    Payments stay closed until its books are proven right. Raises Failed.
    """
    metadata = manifest["metadata"]
    there = Kube(kube.context, metadata["namespace"])
    _carry_secret(kube, there, manifest["spec"]["restoreFrom"]["s3"]["credentialsSecretRef"]["name"])
    there.run("create", "--filename", "-", stdin=json.dumps(manifest))
    said, deadline = "", time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = there.platform(metadata["name"])
        proven, ready = condition(found, "Restored"), condition(found, "Ready")
        shown = ready if proven.get("status") == "True" else proven
        if ready.get("status") == "True":
            return found
        text = f"{shown.get('reason', 'Waiting')}: {shown.get('message', 'for the operator')}"
        if text != said:
            tell(text)
            said = text
        sleep(1)
    raise Failed(
        f"not ready within {timeout:.0f} s, it goes on: see kubectl pp -n {metadata['namespace']} status"
    )


def _carry_secret(kube: Kube, there: Kube, name: str) -> None:
    """The bucket's keys for the new namespace, unless they are there."""
    if there.run("get", "secret", name, "--ignore-not-found", "--output", "name").strip():
        return
    secret = kube.get("secret", name)
    copied = {key: secret[key] for key in _SECRET} | {"metadata": {"name": name}}
    there.run("create", "--filename", "-", stdin=json.dumps(copied))


def _told(platform: Object) -> Object:
    found: Object = platform.get("status", {}).get("backup", {})
    return found


def _without(value: Any, field: str) -> Any:
    """A copy of a structure in which no object has this field."""
    if isinstance(value, dict):
        return {key: _without(item, field) for key, item in value.items() if key != field}
    return [_without(item, field) for item in value] if isinstance(value, list) else value
