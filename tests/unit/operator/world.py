"""A reconciler with a cluster in memory whose controllers do their work at once."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from payment_operator.catalog import secret_kinds
from payment_operator.cluster import Cluster
from payment_operator.credentials import ISSUER_PATH, JWKS_PATH
from payment_operator.desire import Desire
from payment_operator.director import Director
from payment_operator.kinds import Kind
from payment_operator.reconcile import Reconciler
from payment_operator.render import ROTATES, ClusterVersion, Renderer
from payment_operator.settings import FIELD_MANAGER
from payment_operator.versions import Versions
from tests.unit.operator.builders import Object, document, owned_fields
from tests.unit.operator.fakes import FakeCluster

PLATFORM_LABELS = {"paymentplatform.dev/platform": "payments"}


class Managed(FakeCluster):
    """Keeps the record of fields, and plays the controllers: what is applied becomes ready when ``ready``."""

    ready = True

    def apply(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        body: Object,
        *,
        subresource: str = "",
        manager: str = FIELD_MANAGER,
        dry_run: bool = False,
    ) -> Object:
        stored = super().apply(
            kind, namespace, name, body, subresource=subresource, manager=manager, dry_run=dry_run
        )
        if not (subresource or dry_run) and manager == FIELD_MANAGER:
            fields = {key: value for key, value in body.items() if key not in ("apiVersion", "kind")}
            hidden = ("name", "namespace", "uid")
            fields["metadata"] = {key: value for key, value in body["metadata"].items() if key not in hidden}
            entry = {"manager": "payment-operator", "operation": "Apply", "fieldsV1": owned_fields(fields)}
            stored["metadata"] |= {"managedFields": [entry], "generation": 1}
            stored["status"] = self.status_of(body)
        return stored

    def status_of(self, body: Object) -> Object:
        """What a controller would say."""
        pods = body.get("spec", {}).get("replicas", 1)
        done = pods if self.ready else 0
        counts = {"updatedReplicas": pods, "readyReplicas": done, "availableReplicas": done, "replicas": pods}
        finished = [{"type": "Complete", "status": "True"}] if self.ready else []
        return {"observedGeneration": 1, "conditions": finished} | counts


def chart_documents(gateway_pods: int = 1) -> list[Object]:
    return [
        document("ConfigMap", "files", 0, labels=PLATFORM_LABELS, data={"a": "1"}),
        *(
            document("StatefulSet", name, 1, labels=PLATFORM_LABELS, spec={"replicas": 1})
            for name in ("postgres", "redis", "kafka")
        ),
        document("Deployment", "api-gateway", 3, labels=PLATFORM_LABELS, spec={"replicas": gateway_pods}),
    ]


class World:
    """A reconciler, its cluster and its chart; `render` is what the chart of a fake world answers."""

    def __init__(
        self,
        cluster: Managed,
        renderer: Renderer,
        schemas: Sequence[str] = ("payments",),
        more: Sequence[Renderer] = (),
    ) -> None:
        self.cluster = cluster
        self.cluster.raws[ISSUER_PATH] = {"issuer": "https://cluster.example"}
        self.cluster.raws[JWKS_PATH] = {"keys": [{"kty": "RSA", "kid": "1"}]}
        self.render: Callable[[Object], list[Object]] = lambda _: chart_documents()
        reader = cast(Cluster, cluster)
        version = ClusterVersion("v1.34.0", ())
        renderers = [renderer, *more]
        versions = Versions(renderers, default=renderer.version)
        desire = Desire(reader, versions, secret_kinds(schemas), lambda: version)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.reconciler = Reconciler(reader, Director(reader, desire), lambda: self.now)

    @classmethod
    def fake(cls, folder: Path) -> "World":
        """One whose chart is three lines of Python."""
        rotates = "database-passwords, redis-password, superuser-password"
        notes = f"annotations:\n  {ROTATES}: {rotates}\n"
        (folder / "Chart.yaml").write_text(f"version: 0.1.0\n{notes}")

        def run(_: Any, stdin: str, __: float) -> str:
            return "\n---\n".join(json.dumps(item) for item in world.render(json.loads(stdin)))

        world = cls(Managed(), Renderer(folder, helm="helm", timeout=1.0, run=run))
        return world

    def declare(self, name: str = "payments", created: str = "2026-01-01T00:00:00Z", **spec: Any) -> Object:
        """A platform as the API server stores it."""
        metadata = {"uid": f"uid-{name}", "generation": 1, "creationTimestamp": created}
        return self.cluster.put(
            "PaymentPlatform", "shop", name, metadata=metadata, spec={"profile": "dev"} | spec
        )

    def run(self) -> float | None:
        """One reconcile; the log starts anew."""
        self.cluster.log.clear()
        return self.reconciler.reconcile("shop")

    @property
    def writes(self) -> list[str]:
        """What the last reconcile wrote, Events aside."""
        return [entry for entry in self.cluster.log if "apply Event/" not in entry]

    def settle(self) -> None:
        """Until there is nothing left to do."""
        for _ in range(10):
            if self.run() is None:
                return
        raise AssertionError(f"never at rest: {self.cluster.log}")

    def condition(self, kind: str, name: str = "payments") -> tuple[str, str]:
        """Status and reason."""
        conditions = self.cluster.objects["PaymentPlatform", "shop", name]["status"]["conditions"]
        found = next(item for item in conditions if item["type"] == kind)
        return found["status"], found["reason"]
