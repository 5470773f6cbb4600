"""From a spec and a version to manifests: credentials, render."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from payment_operator import claims
from payment_operator.apply import Writer
from payment_operator.catalog import SecretKind
from payment_operator.cluster import Cluster
from payment_operator.credentials import Keeper, Stamp, needed
from payment_operator.kinds import PVC
from payment_operator.manifest import Manifest, Owner, manifest
from payment_operator.render import ClusterVersion, Request
from payment_operator.renew import Renewer
from payment_operator.rotate import Rotator, misspelt
from payment_operator.rotation import read_requests
from payment_operator.settings import FIELD_MANAGER
from payment_operator.sizes import in_force, read, sized
from payment_operator.spec import PaymentPlatformSpec
from payment_operator.values import values_of
from payment_operator.versions import Versions
from payment_operator.view import View


class Desire:
    """Makes missing Secrets on the way, for the manifests carry their hashes, and volumes of backups."""

    def __init__(
        self,
        cluster: Cluster,
        versions: Versions,
        secrets: Sequence[SecretKind],
        cluster_version: Callable[[], ClusterVersion],
        metrics: str = "",
    ) -> None:
        self._cluster = cluster
        self.versions = versions
        self._secrets = secrets
        self._cluster_version = cluster_version
        self._metrics = metrics

    def prepared(self, view: View, spec: PaymentPlatformSpec, owner: Owner) -> View:
        """The view after the step of a rotation that is due. Raises OperatorError."""
        # Before the credentials are read, so that a new key is published in the same pass.
        requests, unknown = read_requests(view.requests.rotate)
        rotated = Rotator(self._cluster, owner, lambda: view.now).run(spec, requests, write=not view.paused)
        renewed = Renewer(self._cluster, owner, view.now).run(
            spec,
            needed(self._secrets, spec),
            requests,
            self.versions.rotates(str(view.previous.get("version") or view.version)),
            # Consumers roll for a new password, which an upgrade does by itself.
            write=view.installed and not (view.paused or view.upgrading),
            under_way=_under_way(view),
        )
        return replace(view, rotations=(*rotated, *renewed, *misspelt(unknown)))

    def manifests(
        self, view: View, spec: PaymentPlatformSpec, version: str, owner: Owner
    ) -> tuple[Manifest, ...]:
        """All manifests of a version with these settings. Raises OperatorError."""
        renderer = self.versions.renderer(version)
        keeper = Keeper(self._cluster, Writer(self._cluster, owner.namespace), owner.namespace, self._secrets)
        stamp = Stamp(owner.name, FIELD_MANAGER, owner.reference())
        made = keeper.ensure(stamp, spec, write=not view.paused)
        restored = bool(view.previous.get("restore"))
        values = values_of(spec, made.hashes, self._metrics, restored=restored)
        values = sized(values, in_force(read(view.previous), spec))
        request = Request(owner.name, owner.namespace, values, self._cluster_version())
        documents = [*renderer.render(request), *made.config_maps]
        if not view.paused:
            claims.ensure(self._cluster, owner, (item for item in documents if item["kind"] == PVC.kind))
        return tuple(manifest(item, owner) for item in documents if item["kind"] != PVC.kind)


def _under_way(view: View) -> bool:
    """Whether the last look left a rotation in the middle; its request may have been taken back since."""
    conditions = view.previous.get("conditions", ())
    return any(
        item["type"] == "KeysRotated" and item["reason"] in ("Rotating", "Overlapping") for item in conditions
    )
