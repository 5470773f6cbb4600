"""Whether payments go through, from what the synthetic ones left. Pure.

Their pods end with a line of JSON (services: payments/synthetic/pay.py). The condition names the latency by
its class only, so that a platform at rest is not written to after every payment; the metric has it exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from payment_operator.kinds import COMPONENT_LABEL
from payment_operator.outcome import said
from payment_operator.rotation import read_duration

Object = Mapping[str, Any]
#: Components whose pods make synthetic payments.
PAYERS = frozenset({"payment-path", "smoke"})
#: Upper ends of the classes of latency, in milliseconds.
CLASSES = (100, 250, 500, 1000, 2500, 5000, 10_000)
#: A result older than so many intervals says nothing any more.
STALE = 3


@dataclass(frozen=True, slots=True)
class Paid:
    """One synthetic payment that was tried. ``latency`` in milliseconds, None when it failed."""

    at: datetime
    ok: bool
    message: str
    latency: int | None = None


def last_payment(pods: Iterable[Object]) -> Paid | None:
    """The one that ended last."""
    found = [paid for pod in pods if (paid := _paid(pod)) is not None]
    return max(found, key=lambda paid: paid.at, default=None)


def fresh(paid: Paid, interval: str, now: datetime) -> bool:
    """Whether it still says something about now."""
    return now - paid.at <= STALE * read_duration(interval) + timedelta(minutes=2)


def speed(latency: int) -> str:
    """The class of a latency in words."""
    bound = next((limit for limit in CLASSES if latency < limit), None)
    if bound is None:
        return f"over {CLASSES[-1] // 1000} s"
    return f"under {bound} ms" if bound < 1000 else f"under {bound / 1000:g} s"


def _paid(pod: Object) -> Paid | None:
    if pod["metadata"].get("labels", {}).get(COMPONENT_LABEL) not in PAYERS:
        return None
    for container in pod.get("status", {}).get("containerStatuses", []):
        for state in ("state", "lastState"):
            ended = container.get(state, {}).get("terminated")
            if ended:
                told = said(ended)
                latency = told.get("latencyMilliseconds")
                return Paid(
                    datetime.fromisoformat(ended["finishedAt"]),
                    bool(told.get("ok")),
                    str(
                        told.get("message") or ended.get("message") or ended.get("reason") or "no word of it"
                    ),
                    int(latency) if latency is not None else None,
                )
    return None
