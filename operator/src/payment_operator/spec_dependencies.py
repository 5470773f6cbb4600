"""What the platform stands on: PostgreSQL, Redis and Kafka, each builtin or run by somebody else."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from payment_operator.rules import Rule, external_or_builtin, rules
from payment_operator.spec_types import Host, Mode, Model, Name, NodePort, Port, Resources, SecretRef, Size

DEPENDENCIES = ("postgres", "redis", "kafka")


class Storage(Model):
    """Volume of each pod of a builtin dependency."""

    size: Size | None = Field(None, description='Size, as "10Gi"; it can only grow.')
    class_name: Name | None = Field(
        None, description="StorageClass; default the cluster's. It cannot change."
    )
    on_delete: Literal["Delete", "Retain"] | None = Field(
        None, description="What happens to the volume with the platform; default Delete in dev, else Retain."
    )


class PostgresExternal(Model):
    """A PostgreSQL that somebody else runs."""

    host: Host = Field(description="Host name or address.")
    port: Port | None = Field(None, description="Default 5432.")
    database: str | None = Field(
        None, max_length=63, pattern=r"^[a-z_][a-z0-9_]*$", description="Database; default payment_db."
    )
    superuser_secret_ref: SecretRef = Field(
        description="Secret with username and password of a role that may create roles and schemas."
    )


class Postgres(Model):
    """PostgreSQL."""

    model_config = ConfigDict(
        json_schema_extra=external_or_builtin(
            "postgres", "storage", "resources", "maxConnections", "nodePort"
        )
    )
    mode: Mode | None = Field(None, description="Builtin (default) or External; it cannot change.")
    storage: Storage | None = Field(None, description="Volume of the builtin one.")
    resources: Resources | None = Field(None, description="Requests and limits of the builtin one.")
    max_connections: Annotated[int, Field(ge=20, le=2000)] | None = Field(
        None, description="Connections that it takes; the pools must fit in."
    )
    node_port: NodePort | None = Field(None, description="Fixed node port, for trials.")
    external: PostgresExternal | None = Field(None, description="Where it runs, with mode External.")


class RedisExternal(Model):
    """A Redis that somebody else runs."""

    host: Host = Field(description="Host name or address.")
    port: Port | None = Field(None, description="Default 6379.")
    credentials_secret_ref: SecretRef = Field(description="Secret with the key password.")


class Redis(Model):
    """Redis: rate limits and caches."""

    model_config = ConfigDict(
        json_schema_extra=external_or_builtin("redis", "storage", "resources", "nodePort")
    )
    mode: Mode | None = Field(None, description="Builtin (default) or External; it cannot change.")
    storage: Storage | None = Field(None, description="Volume of the builtin one.")
    resources: Resources | None = Field(None, description="Requests and limits of the builtin one.")
    node_port: NodePort | None = Field(None, description="Fixed node port, for trials.")
    external: RedisExternal | None = Field(None, description="Where it runs, with mode External.")


class KafkaTls(Model):
    """TLS to the brokers; their certificates must name the hosts that they are reached by."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.caSecretRef) || (has(self.enabled) && self.enabled)",
                "caSecretRef is for TLS: set tls.enabled to true or remove it",
                ".caSecretRef",
            )
        )
    )
    enabled: bool | None = Field(None, description="Default false.")
    ca_secret_ref: SecretRef | None = Field(
        None,
        description="Secret with the key ca.crt, whom alone to trust; default: the system's authorities.",
    )


_WITH_LOGIN = tuple(
    Rule(
        f"!has(self.{name}) || has(self.credentialsSecretRef)",
        f"{name} is of the login: set credentialsSecretRef or remove it",
        f".{name}",
    )
    for name in ("username", "mechanism")
)


class KafkaExternal(Model):
    """A Kafka that somebody else runs."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *_WITH_LOGIN,
            Rule(
                "!has(self.mechanism) || self.mechanism != 'PLAIN'"
                " || (has(self.tls) && has(self.tls.enabled) && self.tls.enabled)",
                "PLAIN sends the password itself: set tls.enabled to true or use a SCRAM mechanism",
                ".mechanism",
            ),
        )
    )
    bootstrap_servers: str = Field(
        min_length=1,
        max_length=1024,
        pattern=r"^[A-Za-z0-9.-]+:[0-9]{1,5}(,[A-Za-z0-9.-]+:[0-9]{1,5})*$",
        description='Brokers as "host:port", separated by commas.',
    )
    tls: KafkaTls | None = Field(None, description="TLS to the brokers; default none.")
    credentials_secret_ref: SecretRef | None = Field(
        None, description="Secret with the key password, as of Strimzi's KafkaUser; default: no login."
    )
    username: str | None = Field(
        None,
        min_length=1,
        max_length=253,
        pattern=r"^[^\s,=]+$",
        description="Who logs in; default the name of that Secret, which with Strimzi is the user's.",
    )
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] | None = Field(
        None, description="How to log in (SASL); default SCRAM-SHA-512. PLAIN needs TLS."
    )


class Kafka(Model):
    """Kafka (KRaft)."""

    model_config = ConfigDict(
        json_schema_extra=external_or_builtin("kafka", "brokers", "storage", "resources")
    )
    mode: Mode | None = Field(None, description="Builtin (default) or External; it cannot change.")
    brokers: Literal[1, 3] | None = Field(
        None, description="Default 3 in production, else 1; it cannot change."
    )
    storage: Storage | None = Field(None, description="Volume of each builtin broker.")
    resources: Resources | None = Field(None, description="Requests and limits of each builtin broker.")
    external: KafkaExternal | None = Field(None, description="Where it runs, with mode External.")
