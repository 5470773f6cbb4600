"""The platforms' conditions and keys on /metrics: set at each look, gone with the platform."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from prometheus_client import Gauge

from payment_operator import metrics
from payment_operator.payment_path import Paid
from payment_operator.rotate import Standing

STATUSES = ("True", "False", "Unknown")


class Shown:
    """What is shown of which platform; namespaces may be looked at by several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[tuple[str, str], set[tuple[Gauge, tuple[str, ...]]]] = {}

    def show(
        self,
        namespace: str,
        name: str,
        status: Mapping[str, Any],
        keys: Iterable[Standing],
        paid: Paid | None = None,
    ) -> None:
        """Set what one look at a platform has found."""
        platform = (namespace, name)
        with self._lock:
            for condition in status.get("conditions", ()):
                for value in STATUSES:
                    now = float(condition["status"] == value)
                    self._set(metrics.CONDITION, (*platform, str(condition["type"]), value), now)
            if paid is not None:
                seconds = float("nan") if paid.latency is None else paid.latency / 1000
                self._set(metrics.PAYMENT_PATH, platform, seconds)
            for standing in keys:
                times = {metrics.KEY_SINCE: standing.since, metrics.KEY_DUE: standing.rotates}
                for gauge, moment in times.items():
                    labels = (*platform, standing.name)
                    if moment is not None:
                        self._set(gauge, labels, moment.timestamp())
                    else:
                        self._drop(gauge, labels)

    def keep(self, namespace: str, names: Collection[str]) -> None:
        """Forget the platforms of a namespace that are not among `names`."""
        with self._lock:
            gone = [key for key in self._series if key[0] == namespace and key[1] not in names]
            for key in gone:
                for gauge, labels in self._series.pop(key):
                    gauge.remove(*labels)

    def _set(self, gauge: Gauge, labels: tuple[str, ...], value: float) -> None:
        gauge.labels(*labels).set(value)
        self._series.setdefault((labels[0], labels[1]), set()).add((gauge, labels))

    def _drop(self, gauge: Gauge, labels: tuple[str, ...]) -> None:
        series = self._series.get((labels[0], labels[1]), set())
        if (gauge, labels) in series:
            series.remove((gauge, labels))
            gauge.remove(*labels)


#: Of this process.
SHOWN = Shown()
