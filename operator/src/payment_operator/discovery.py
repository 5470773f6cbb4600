"""Version and API groups of the cluster, for the templates; asked again every ten minutes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from payment_operator.cluster import Cluster
from payment_operator.render import ClusterVersion

KEEP_SECONDS = 600.0


class Discovery:
    """Thread-safe; raises ApiError when it must ask and gets no answer."""

    def __init__(self, cluster: Cluster, clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[float, ClusterVersion] | None = None

    def __call__(self) -> ClusterVersion:
        """What the cluster says about itself."""
        with self._lock:
            if self._known is None or self._clock() - self._known[0] > KEEP_SECONDS:
                kube = self._cluster.raw("/version")["gitVersion"]
                groups = self._cluster.raw("/apis")["groups"]
                apis = sorted(version["groupVersion"] for group in groups for version in group["versions"])
                self._known = self._clock(), ClusterVersion(kube, ("v1", *apis))
            return self._known[1]
