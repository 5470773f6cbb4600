"""What a change of conditions is worth telling as Kubernetes Events. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from payment_operator.conditions import CONDITIONS
from payment_operator.kinds import PLATFORM

Object = Mapping[str, Any]
HEALTHY = {kind.type: kind.healthy for kind in CONDITIONS}
#: Reasons of conditions that only wait for others, in the course of things.
WAITING = frozenset(
    {"Waiting", "Running", "Missing", "Reconciling", "NotImplemented", "Installing", "Disabled"}
)
COMPONENT = "payment-operator"


class Notice(NamedTuple):
    """One Event: `type` is Normal or Warning, `reason` one word."""

    type: str
    reason: str
    message: str


def notices(before: Object, after: Object) -> list[Notice]:
    """The news between two statuses: conditions that became healthy or not, or have another cause now.

    What a first install goes through before it is complete is no warning.
    """
    old = {item["type"]: item for item in before.get("conditions", [])}
    news: dict[tuple[str, str], Notice] = {}
    for item in after["conditions"]:
        was = old.get(item["type"], {"status": "Unknown", "reason": ""})
        if (was["status"], was["reason"]) == (item["status"], item["reason"]):
            continue
        well = item["status"] in (HEALTHY[item["type"]], "Unknown")
        if item["reason"] in WAITING or (well and was["status"] == "Unknown" and item["type"] != "Ready"):
            continue
        warns = not well and item["type"] != "Progressing"
        if warns and "release" not in before and item["type"] != "Degraded":
            continue
        notice = Notice("Warning" if warns else "Normal", _reason(item), item["message"])
        news.setdefault((notice.type, notice.reason), notice)  # Degraded often repeats a part's cause
    return list(news.values())


def event(platform: Object, notice: Notice, now: datetime, known: Object | None) -> dict[str, Any]:
    """The Event (core/v1) of a notice; the same news again counts up the one that is there (`known`)."""
    metadata = platform["metadata"]
    time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name_of(platform, notice), "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": PLATFORM.api_version,
            "kind": PLATFORM.kind,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "type": notice.type,
        "reason": notice.reason,
        "message": notice.message,
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "firstTimestamp": known["firstTimestamp"] if known else time,
        "lastTimestamp": time,
        "count": known["count"] + 1 if known else 1,
    }


def name_of(platform: Object, notice: Notice) -> str:
    """The same for the same news of the same platform."""
    seed = f"{platform['metadata']['uid']} {notice.type} {notice.reason} {notice.message}"
    return f"{platform['metadata']['name'][:200]}.{hashlib.sha256(seed.encode()).hexdigest()[:16]}"


def _reason(item: Object) -> str:
    """PostgresReady False NotReady → PostgresNotReady; True → PostgresReady; Degraded True X → X."""
    kind, well = item["type"], item["status"] == HEALTHY[item["type"]]
    if kind in ("Degraded", "Progressing"):
        return str(item["reason"]) if not well else {"Degraded": "Recovered", "Progressing": "Complete"}[kind]
    part = kind.removesuffix("Ready").removesuffix("Applied")
    return kind if well else f"{part}{item['reason']}" if part else f"Not{kind}"
