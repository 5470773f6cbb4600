"""Makes the Secrets and key sets that are missing and never replaces one; a user may bring any of them first.

Under the operator in process; for plain Helm as ``python3 -m payment_operator.credentials_cli``, a hook Job.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from payment_operator import catalog, keys
from payment_operator.apply import Writer
from payment_operator.catalog import DATABASE_LOGINS, DATABASE_PASSWORDS, SecretKind
from payment_operator.cluster import Cluster
from payment_operator.errors import ApiError, MissingCredentials
from payment_operator.kinds import PLATFORM_LABEL, SECRET
from payment_operator.manifest import Object, digest
from payment_operator.passwords import ASIDE
from payment_operator.spec import PaymentPlatformSpec

Data = Mapping[str, str]
#: Key of a Secret that holds what is sent as the header of that name (RFC 9110, 11.6.2), such as "Bearer …".
AUTHORIZATION = "authorization"
ISSUER_PATH, JWKS_PATH = "/.well-known/openid-configuration", "/openid/v1/jwks"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What objects that we make carry: labels, and under the operator the owner."""

    platform: str
    manager: str
    owner: Object | None = None

    def metadata(self, name: str) -> Object:
        """Metadata of an object of that name."""
        labels = {
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/component": "credentials",
            "app.kubernetes.io/part-of": "payment-platform",
            "app.kubernetes.io/managed-by": self.manager,
        }
        if self.platform:
            labels |= {"app.kubernetes.io/instance": self.platform, PLATFORM_LABEL: self.platform}
        return {"name": name, "labels": labels} | ({"ownerReferences": [self.owner]} if self.owner else {})


@dataclass(frozen=True, slots=True)
class Credentials:
    """Hashes of the Secrets for their consumers' pods, and the public halves as ConfigMap documents."""

    hashes: dict[str, str]
    config_maps: tuple[Object, ...]


def needed(kinds: Iterable[SecretKind], spec: PaymentPlatformSpec) -> list[SecretKind]:
    """Without those of dependencies that run elsewhere and of parts that are off."""
    elsewhere = {
        "postgres-superuser": bool(spec.postgres and spec.postgres.external),
        "redis-credentials": bool(spec.redis and spec.redis.external),
        "kafka-cluster": bool(spec.kafka and spec.kafka.external),
    }
    return [kind for kind in kinds if not elsewhere.get(kind.name) and _has_part(kind, spec)]


def _has_part(kind: SecretKind, spec: PaymentPlatformSpec) -> bool:
    part = getattr(spec.observability, kind.part, None) if kind.part else None
    return not kind.part or bool(part and part.enabled and (kind.external or part.mode != "External"))


def referenced(spec: PaymentPlatformSpec) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Secrets that the user names: field of the spec and the keys that it must have, by the Secret's name."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    if spec.postgres and spec.postgres.external:
        name = spec.postgres.external.superuser_secret_ref.name
        found[name] = ("spec.postgres.external.superuserSecretRef", ("username", "password"))
    if spec.redis and spec.redis.external:
        found[spec.redis.external.credentials_secret_ref.name] = (
            "spec.redis.external.credentialsSecretRef",
            ("password",),
        )
    kafka = spec.kafka.external if spec.kafka else None
    if kafka and kafka.credentials_secret_ref:
        field = "spec.kafka.external.credentialsSecretRef"
        found[kafka.credentials_secret_ref.name] = (field, ("password",))
    if kafka and kafka.tls and kafka.tls.ca_secret_ref:
        field = "spec.kafka.external.tls.caSecretRef"
        found[kafka.tls.ca_secret_ref.name] = (field, ("ca.crt",))
    bucket_keys = ("access-key-id", "secret-access-key")
    if spec.backup and spec.backup.enabled is not False and spec.backup.storage and spec.backup.storage.s3:
        name = spec.backup.storage.s3.credentials_secret_ref.name
        found[name] = ("spec.backup.storage.s3.credentialsSecretRef", bucket_keys)
    if spec.restore_from and spec.restore_from.s3:
        name = spec.restore_from.s3.credentials_secret_ref.name
        found[name] = ("spec.restoreFrom.s3.credentialsSecretRef", bucket_keys)
    for channel in ("sms", "email", "push"):
        settings = getattr(spec.notifications, channel, None)
        if settings and settings.credentials_secret_ref:
            field = f"spec.notifications.{channel}.credentialsSecretRef"
            found[settings.credentials_secret_ref.name] = (field, ())
    stack = spec.observability
    if stack and stack.tracing and stack.tracing.credentials_secret_ref:
        field = "spec.observability.tracing.credentialsSecretRef"
        found[stack.tracing.credentials_secret_ref.name] = (field, (AUTHORIZATION,))
    for part in ("jaeger", "prometheus"):
        settings = getattr(stack, part, None)
        elsewhere = settings.external if settings and settings.enabled else None
        if elsewhere and elsewhere.credentials_secret_ref:
            field = f"spec.observability.{part}.external.credentialsSecretRef"
            found[elsewhere.credentials_secret_ref.name] = (field, (AUTHORIZATION,))
    search = stack.search.external if stack and stack.search and stack.search.enabled else None
    if search and search.credentials_secret_ref:
        field = "spec.observability.search.external.credentialsSecretRef"
        found[search.credentials_secret_ref.name] = (field, ("username", "password"))
    influxdb = stack.influxdb.external if stack and stack.influxdb and stack.influxdb.enabled else None
    if influxdb:
        field = "spec.observability.influxdb.external.credentialsSecretRef"
        found[influxdb.credentials_secret_ref.name] = (field, ("token",))
    return found


def authorization(cluster: Cluster, namespace: str, name: str) -> str:
    """What a Secret holds under that key; "" when there is none. Raises ApiError."""
    data = (cluster.get(SECRET, namespace, name) or {}).get("data") or {}
    return base64.b64decode(data.get(AUTHORIZATION, "")).decode(errors="surrogateescape").strip()


class Keeper:
    """Ensures the credentials of one namespace."""

    def __init__(self, cluster: Cluster, writer: Writer, namespace: str, kinds: Sequence[SecretKind]) -> None:
        self._cluster = cluster
        self._writer = writer
        self._namespace = namespace
        self._kinds = kinds

    def ensure(self, stamp: Stamp, spec: PaymentPlatformSpec | None, *, write: bool) -> Credentials:
        """Make what is missing (unless ``write`` is false) and read all. Raises MissingCredentials, ApiError.

        Without a spec everything counts as builtin.
        """
        kinds = needed(self._kinds, spec) if spec else list(self._kinds)

        def one(kind: SecretKind) -> tuple[str, Data]:
            return kind.name, self._made(kind, stamp, write)

        data = dict(self._cluster.parallel(one, kinds))
        foreign = self._referenced(referenced(spec)) if spec else {}
        # Key sets rotate while the pods run, so these are no reason to replace any.
        rolling = {
            name: content for name, content in (data | foreign).items() if name not in catalog.ROTATING
        }
        hashes = {name: digest(_used(content)) for name, content in rolling.items()}
        logins = {kind.name: dict(data[kind.name]) for kind in kinds if kind.rotates == DATABASE_PASSWORDS}
        hashes[DATABASE_LOGINS] = digest(logins)
        return Credentials(hashes, (self._public_keys(stamp, data), self._identity(stamp)))

    def _made(self, kind: SecretKind, stamp: Stamp, write: bool) -> Data:
        content = self._read(kind.name)
        if content is None and write:
            body = {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": stamp.metadata(kind.name),
                "type": "Opaque",
                "stringData": dict(kind.make()),
            }
            self._writer.create(SECRET, body)
            content = self._read(kind.name)
        if content is None:
            raise MissingCredentials(
                f"Secret {kind.name} does not exist: it is made when the platform is not paused"
            )
        _require(kind.name, content, kind.keys, "the platform")
        return content

    def _referenced(self, wanted: Mapping[str, tuple[str, tuple[str, ...]]]) -> dict[str, Data]:
        found: dict[str, Data] = {}
        for name, (field, required) in wanted.items():
            try:
                content = self._read(name)
            except ApiError as error:
                if error.status != 403:
                    raise
                # By default the operator may read Secrets of fixed names only; the pods still can.
                continue
            if content is None:
                raise MissingCredentials(
                    f"Secret {name} of {field} does not exist: create it in this namespace"
                )
            _require(name, content, required, field)
            found[name] = content
        return found

    def _read(self, name: str) -> Data | None:
        secret = self._cluster.get(SECRET, self._namespace, name)
        if secret is None:
            return None
        data = secret.get("data") or {}
        return {key: base64.b64decode(value).decode(errors="surrogateescape") for key, value in data.items()}

    def _public_keys(self, stamp: Stamp, data: Mapping[str, Data]) -> Object:
        try:
            text = keys.public_keys(
                *(data[name][catalog.KEY_SET] for name in (catalog.SIGNING, catalog.ENCRYPTION))
            )
        except ValueError as error:
            names = f"{catalog.SIGNING} and {catalog.ENCRYPTION}"
            raise MissingCredentials(
                f"{names} need a JSON Web Key Set in {catalog.KEY_SET}: {error}"
            ) from None
        return _config_map(stamp, catalog.PUBLIC_KEYS, {"jwks.json": text})

    def _identity(self, stamp: Stamp) -> Object:
        """What services check each other's tokens with: the cluster's own issuer and keys."""
        issuer = self._cluster.raw(ISSUER_PATH)["issuer"]
        jwks = keys.key_set(*self._cluster.raw(JWKS_PATH)["keys"])
        return _config_map(stamp, catalog.IDENTITY, {"issuer": issuer, "jwks.json": jwks})


def _config_map(stamp: Stamp, name: str, data: Data) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": stamp.metadata(name), "data": dict(data)}


def _used(content: Data) -> dict[str, str]:
    """What consumers log in by; the passwords before and after it are no affair of theirs."""
    return {key: value for key, value in content.items() if key not in ASIDE}


def _require(name: str, content: Data, required: Iterable[str], field: str) -> None:
    missing = [key for key in required if not content.get(key)]
    if missing:
        raise MissingCredentials(f"Secret {name} lacks {', '.join(missing)}: {field} needs it")
