"""From the spec to the manifests that the platform is to have: version, credentials, render."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from payment_operator.apply import Writer
from payment_operator.catalog import SecretKind
from payment_operator.cluster import Cluster
from payment_operator.credentials import Keeper, Stamp
from payment_operator.errors import UnsupportedVersion
from payment_operator.manifest import Owner, manifest
from payment_operator.render import ClusterVersion, Renderer, Request
from payment_operator.rotate import Rotator
from payment_operator.settings import FIELD_MANAGER
from payment_operator.spec import PaymentPlatformSpec
from payment_operator.values import release_of, values_of
from payment_operator.view import View


class Desire:
    """Makes missing Secrets on the way, for the manifests carry their hashes."""

    def __init__(
        self,
        cluster: Cluster,
        renderer: Renderer,
        secrets: Sequence[SecretKind],
        version: Callable[[], ClusterVersion],
    ) -> None:
        self._cluster = cluster
        self._renderer = renderer
        self._secrets = secrets
        self._version = version

    @property
    def version(self) -> str:
        """The version of the platform that this operator carries."""
        return self._renderer.version

    def wanted(self, view: View, spec: PaymentPlatformSpec, owner: Owner) -> View:
        """The view with the wanted manifests. Raises OperatorError."""
        if spec.version not in (None, self.version):
            text = f"this operator carries version {self.version}, not {spec.version}"
            fix = f"set spec.version to {self.version} or install the operator of that version"
            raise UnsupportedVersion(f"{text}: {fix}")
        keeper = Keeper(self._cluster, Writer(self._cluster, owner.namespace), owner.namespace, self._secrets)
        # Before the credentials are read, so that a new key is published in the same pass.
        rotator = Rotator(self._cluster, owner, lambda: view.now)
        rotations = rotator.run(spec, view.requests.rotate, write=not view.paused)
        stamp = Stamp(owner.name, FIELD_MANAGER, owner.reference())
        made = keeper.ensure(stamp, spec, write=not view.paused)
        request = Request(owner.name, owner.namespace, values_of(spec, made.hashes), self._version())
        documents = [*self._renderer.render(request), *made.config_maps]
        desired = tuple(manifest(item, owner) for item in documents)
        release = release_of(spec, self.version)
        return replace(view, secrets_found=True, rotations=rotations, desired=desired, release=release)
