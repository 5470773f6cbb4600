"""Which Secrets and key sets a platform has, from the catalog of its chart. Names are fixed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from payment_operator import keys

SIGNING, ENCRYPTION = "gateway-signing-keys", "gateway-encryption-keys"
#: Their consumers read them again when they change.
ROTATING = frozenset({SIGNING, ENCRYPTION})
KEY_SET = "private.jwks.json"
PUBLIC_KEYS, IDENTITY = "gateway-public-keys", "service-identity"

#: What the annotation `rotate` calls the passwords that rotate.
DATABASE_PASSWORDS, REDIS_PASSWORD = "database-passwords", "redis-password"
SUPERUSER_LOGIN = "superuser-password"
#: Stands for all there is to know of the logins of the database, beside the Secrets themselves.
DATABASE_LOGINS = "database-logins"

_LOGIN = ("username", "password")
#: Password of Kibana's own user.
_PAGES = "dashboards-password"


@dataclass(frozen=True, slots=True)
class SecretKind:
    """A Secret of a fixed name: its keys and how to make the values."""

    name: str
    keys: tuple[str, ...]
    make: Callable[[], Mapping[str, str]]
    part: str = ""
    """The part of the observability stack that alone needs it; "" for those of every platform."""
    external: bool = False
    """Whether it is needed with an external part, too."""
    rotates: str = ""
    """By which word of the annotation its password rotates; "" for what does not, or otherwise."""


def schemas(chart: Path) -> tuple[str, ...]:
    """The database schemas that services and scheduled Jobs own, which are roles' names too."""
    catalog = yaml.safe_load((chart / "files" / "catalog.yaml").read_text())
    owners = [*catalog["services"].values(), *catalog["cronJobs"].values()]
    return tuple(sorted({str(item["schema"]) for item in owners if item.get("schema")}))


def secret_kinds(schema_names: Sequence[str]) -> tuple[SecretKind, ...]:
    """All Secrets of a platform with builtin dependencies."""
    return (
        replace(_database("postgres-superuser", "postgres"), rotates=SUPERUSER_LOGIN),
        *(_database(f"{schema}-database", schema) for schema in schema_names),
        SecretKind(
            "redis-credentials",
            ("password",),
            lambda: {"password": keys.password()},
            rotates=REDIS_PASSWORD,
        ),
        SecretKind("kafka-cluster", ("cluster-id",), lambda: {"cluster-id": keys.kafka_cluster_id()}),
        SecretKind(SIGNING, (KEY_SET,), lambda: {KEY_SET: keys.key_set(keys.signing_jwk())}),
        SecretKind(ENCRYPTION, (KEY_SET,), lambda: {KEY_SET: keys.key_set(keys.encryption_jwk())}),
        SecretKind("otp-hmac-key", ("key",), lambda: {"key": keys.hmac_key()}),
        SecretKind(
            "synthetic-customer",
            ("username", "password"),
            lambda: {"username": "synthetic", "password": keys.password()},
        ),
        SecretKind("load-balancer-token", ("token",), lambda: {"token": keys.password()}),
        replace(_database("metrics-database", "metrics"), part="prometheus", external=True),
        SecretKind("search-credentials", (*_LOGIN, _PAGES), _search, part="search"),
        SecretKind("influxdb-credentials", (*_LOGIN, "token"), _influxdb, part="influxdb"),
        SecretKind("grafana-admin", _LOGIN, lambda: _login("admin"), part="grafana"),
    )


def _database(name: str, role: str) -> SecretKind:
    return SecretKind(name, _LOGIN, lambda: _login(role), rotates=DATABASE_PASSWORDS)


def _login(username: str) -> dict[str, str]:
    return {"username": username, "password": keys.password()}


def _search() -> dict[str, str]:
    """`elastic` is the name that Elasticsearch gives its first user."""
    return _login("elastic") | {_PAGES: keys.password()}


def _influxdb() -> dict[str, str]:
    return _login("admin") | {"token": keys.password()}
