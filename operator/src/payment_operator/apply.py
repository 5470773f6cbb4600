"""The only writer: server-side apply under one field manager. The caller decides what."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from payment_operator import metrics
from payment_operator.announce import Notice, event, name_of
from payment_operator.cluster import Cluster
from payment_operator.drift import gives_up_replicas
from payment_operator.errors import ApiError
from payment_operator.kinds import BY_KIND, EVENT, PLATFORM, Kind, Ref
from payment_operator.manifest import Manifest, Object
from payment_operator.settings import FIELD_MANAGER
from payment_operator.volumes import claims_to_grow
from payment_operator.wedged import Verdict, restarted

logger = logging.getLogger(__name__)
#: Holds the number of pods until the autoscaler writes it for the first time.
HANDOVER_MANAGER = f"{FIELD_MANAGER}-handover"
#: Holds what makes pods new, so that no declared state takes it away again.
RESTART_MANAGER = f"{FIELD_MANAGER}-restart"


class Writer:
    """Writes of one namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    def apply_all(self, manifests: Sequence[Manifest], live: dict[Ref, Object]) -> dict[Ref, ApiError]:
        """Apply wave by wave, in parallel within a wave; a refused object does not hold up the others.

        ``live`` gives the identity of what exists: the API server refuses when it is another object by then.
        Returns the refusals.
        """
        refused: dict[Ref, ApiError] = {}

        def one(item: Manifest) -> tuple[Ref, ApiError | None]:
            try:
                self.apply(item, live.get(item.ref))
            except ApiError as error:
                if error.status == 0:
                    raise
                return item.ref, error
            return item.ref, None

        for wave in sorted({item.wave for item in manifests}):
            same = [item for item in manifests if item.wave == wave]
            refused |= {ref: error for ref, error in self._cluster.parallel(one, same) if error}
        return refused

    def apply(self, item: Manifest, live: Object | None) -> Object:
        """Make one object as declared. Raises ApiError."""
        body = item.body
        if live is not None:
            body = body | {"metadata": body["metadata"] | {"uid": live["metadata"]["uid"]}}
            if gives_up_replicas(live, body):
                self._hand_over(item.ref, live)
        logger.info("%s/%s: apply %s", self._namespace, item.ref, "(changed)" if live else "(missing)")
        try:
            return self._apply(BY_KIND[item.ref.kind], body)
        except ApiError as error:
            if error.invalid and live is not None and item.ref.kind == "StatefulSet":
                return self._regrow(body, live, error)
            raise

    def create(self, kind: Kind, body: Object) -> bool:
        """Create an object unless there is one of that name; whether it was created."""
        try:
            self._cluster.call(
                self._cluster.dynamic.create,
                kind,
                namespace=self._namespace,
                body=body,
                field_manager=FIELD_MANAGER,
            )
        except ApiError as error:
            if error.conflict:
                return False
            raise
        metrics.WRITES.labels("create", kind.kind).inc()
        logger.info("%s/%s/%s: created", self._namespace, kind.kind, body["metadata"]["name"])
        return True

    def patch(self, kind: Kind, live: Object, changes: Object) -> Object:
        """Change members of the object as it was read. Raises ApiError, a conflict when it changed since."""
        metadata = live["metadata"]
        identity = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        body = changes | {"metadata": changes.get("metadata", {}) | identity}
        answer = self._cluster.call(
            self._cluster.dynamic.patch,
            kind,
            namespace=self._namespace,
            name=metadata["name"],
            body=body,
            content_type="application/merge-patch+json",
            field_manager=FIELD_MANAGER,
        )
        metrics.WRITES.labels("patch", kind.kind).inc()
        return answer

    def delete(self, ref: Ref, live: Object, propagation: str = "Background") -> None:
        """Delete exactly this object; one that is gone or was made anew meanwhile is left alone."""
        logger.info("%s/%s: delete", self._namespace, ref)
        options = {"preconditions": {"uid": live["metadata"]["uid"]}, "propagationPolicy": propagation}
        try:
            self._cluster.call(
                self._cluster.dynamic.delete,
                BY_KIND[ref.kind],
                namespace=self._namespace,
                name=ref.name,
                body=options,
            )
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise
        metrics.WRITES.labels("delete", ref.kind).inc()

    def apply_status(self, name: str, uid: str, status: Object) -> None:
        """Write the status of a platform."""
        body = {
            "apiVersion": PLATFORM.api_version,
            "kind": PLATFORM.kind,
            "metadata": {"name": name, "uid": uid},
            "status": status,
        }
        self._cluster.apply(PLATFORM, self._namespace, name, body, subresource="status")
        metrics.WRITES.labels("apply-status", PLATFORM.kind).inc()

    def announce(self, platform: Object, notice: Notice, now: datetime) -> None:
        """Tell an Event. One that cannot be written is not worth a failed reconcile."""
        name = name_of(platform, notice)
        try:
            known = self._cluster.get(EVENT, self._namespace, name)
            self._cluster.apply(EVENT, self._namespace, name, event(platform, notice, now, known))
        except ApiError as error:
            logger.warning("%s: the Event %s was not written: %s", self._namespace, notice.reason, error)
        else:
            metrics.WRITES.labels("apply", EVENT.kind).inc()

    def restart(self, live: Object, verdict: Verdict) -> None:
        """Have a Deployment's pods replaced as in a rollout. Raises ApiError."""
        name = live["metadata"]["name"]
        logger.warning("%s/Deployment/%s: restart: %s", self._namespace, name, verdict.why)
        body = restarted(live, verdict)
        self._cluster.apply(BY_KIND["Deployment"], self._namespace, name, body, manager=RESTART_MANAGER)
        metrics.WRITES.labels("restart", "Deployment").inc()

    def _apply(self, kind: Kind, body: Object) -> Object:
        answer = self._cluster.apply(kind, self._namespace, body["metadata"]["name"], body)
        metrics.WRITES.labels("apply", kind.kind).inc()
        return answer

    def _hand_over(self, ref: Ref, live: Object) -> None:
        """Keep the number of pods that an autoscaler starts from; without an owner it falls back to 1."""
        body = {
            "apiVersion": live["apiVersion"],
            "kind": ref.kind,
            "metadata": {"name": ref.name, "uid": live["metadata"]["uid"]},
            "spec": {"replicas": live["spec"]["replicas"]},
        }
        self._cluster.apply(BY_KIND[ref.kind], self._namespace, ref.name, body, manager=HANDOVER_MANAGER)
        metrics.WRITES.labels("apply", ref.kind).inc()

    def _regrow(self, body: dict[str, Any], live: Object, error: ApiError) -> Object:
        """Claim templates cannot change: grow the claims, then make the StatefulSet anew around its pods."""
        claims = claims_to_grow(live, body)
        if not claims:
            raise error
        for claim in claims:
            self._apply(BY_KIND["PersistentVolumeClaim"], claim)
        self.delete(Ref("StatefulSet", body["metadata"]["name"]), live, "Orphan")
        fresh = {key: value for key, value in body["metadata"].items() if key != "uid"}
        return self._apply(BY_KIND["StatefulSet"], body | {"metadata": fresh})
