"""One operator at a time: a Lease that is held, renewed, and never outlived.

The rules are those of client-go's leader election: a candidate trusts its own clock only (a Lease that it has
seen unchanged for its whole duration is free), every write names the resourceVersion that it replaces, and a
holder that could not renew within the deadline, which is shorter than the duration, ends its process.
Source: https://pkg.go.dev/k8s.io/client-go/tools/leaderelection
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from payment_operator import metrics
from payment_operator.cluster import Cluster
from payment_operator.errors import ApiError
from payment_operator.kinds import LEASE

logger = logging.getLogger(__name__)

#: Seconds: how long others respect a Lease, when its holder gives up at the latest, between two tries.
#: A takeover takes DURATION + RETRY and the start of the work, 20 seconds in all at most.
DURATION, DEADLINE, RETRY = 12.0, 8.0, 1.0
NAME = "payment-operator"


class Lease:
    """A candidate for the Lease `payment-operator` of a namespace.

    Args:
        cluster: its timeout must be well below DEADLINE.
        identity: unique among all candidates that ever were.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        identity: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._identity = identity
        self._clock = clock
        self._now = now
        self._seen: tuple[str, float] = ("", 0.0)
        self._renewed = 0.0
        self._stopped = threading.Event()
        self._keeper: threading.Thread | None = None

    def acquire(self) -> None:
        """Block until this candidate is the holder."""
        waiting = False
        while True:
            try:
                if self.hold():
                    logger.info("%s leads", self._identity)
                    metrics.LEADER.set(1)
                    return
                if not waiting:
                    logger.info("%s stands by", self._identity)
                    waiting = True
            except ApiError as error:
                logger.warning("the Lease cannot be read or written, again in %.0f s: %s", RETRY, error)
            time.sleep(RETRY)

    def keep(self, lost: Callable[[], None]) -> None:
        """Renew in a thread; `lost` is called once when that has failed, and must end all writing."""
        self._keeper = threading.Thread(target=self._keep, args=(lost,), name="lease", daemon=True)
        self._keeper.start()

    @property
    def fresh(self) -> bool:
        """Whether nobody else may lead yet, however long this process was stopped."""
        return self._clock() - self._renewed < DEADLINE

    def release(self) -> None:
        """Let the next candidate in at once. A failure is of no matter: the Lease runs out."""
        self._stopped.set()
        if self._keeper is not None:
            self._keeper.join(DEADLINE)
        metrics.LEADER.set(0)
        try:
            live = self._cluster.get(LEASE, self._namespace, NAME)
            if live is not None and live["spec"].get("holderIdentity") == self._identity:
                self._replace(live, "")
        except ApiError as error:
            logger.info("the Lease was not released and will run out: %s", error)

    def hold(self) -> bool:
        """Take or renew the Lease, if it is free or ours; whether it is ours now. Raises ApiError."""
        live = self._cluster.get(LEASE, self._namespace, NAME)
        if live is None:
            return self._create()
        holder = live["spec"].get("holderIdentity") or ""
        version = live["metadata"]["resourceVersion"]
        if version != self._seen[0]:
            self._seen = (version, self._clock())
        if holder not in ("", self._identity) and self._clock() - self._seen[1] < DURATION:
            return False
        return self._replace(live, self._identity)

    def _keep(self, lost: Callable[[], None]) -> None:
        while not self._stopped.wait(RETRY):
            try:
                if not self.hold():
                    logger.error("the Lease is another's")
                    break
            except ApiError as error:
                logger.warning("the Lease is not renewed: %s", error)
                if not self.fresh:
                    break
        if not self._stopped.is_set():
            metrics.LEADER.set(0)
            lost()

    def _create(self) -> bool:
        body = {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": {"name": NAME, "namespace": self._namespace},
            "spec": self._spec({}, self._identity),
        }
        return self._write(self._cluster.dynamic.create, body)

    def _replace(self, live: dict[str, Any], holder: str) -> bool:
        body = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": live["metadata"]}
        body["spec"] = self._spec(live["spec"], holder)
        return self._write(self._cluster.dynamic.replace, body)

    def _write(self, operation: Callable[..., Any], body: dict[str, Any]) -> bool:
        asked = self._clock()
        try:
            stored = self._cluster.call(operation, LEASE, namespace=self._namespace, body=body)
        except ApiError as error:
            if error.conflict:
                return False
            raise
        self._seen = (stored["metadata"]["resourceVersion"], self._clock())
        self._renewed = asked
        return True

    def _spec(self, before: dict[str, Any], holder: str) -> dict[str, Any]:
        now = self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        same = before.get("holderIdentity") == holder
        return {
            "holderIdentity": holder,
            "leaseDurationSeconds": int(DURATION),
            "acquireTime": before.get("acquireTime", now) if same else now,
            "renewTime": now,
            "leaseTransitions": before.get("leaseTransitions", 0) + (not same and holder != ""),
        }
