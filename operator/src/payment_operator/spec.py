"""The typed spec of a PaymentPlatform, which is also the values of its chart, key for key.

The CRD, the chart's values.schema.json and the reference are generated from here (``make generate``).
Nothing has a default: what is not set is decided by the profile, in the chart.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from payment_operator import rules as rule
from payment_operator.rules import Rule, rules
from payment_operator.spec_advice import ResourceAdvice
from payment_operator.spec_backup import Backup, RestoreFrom
from payment_operator.spec_dependencies import DEPENDENCIES, Kafka, Postgres, Redis
from payment_operator.spec_health import Health, Verification
from payment_operator.spec_notifications import Notifications, Webhooks
from payment_operator.spec_observability import Observability
from payment_operator.spec_risk import Risk
from payment_operator.spec_rotation import KeyRotation, PasswordRotation
from payment_operator.spec_types import (
    Host,
    LogLevel,
    Model,
    Name,
    NodePort,
    Profile,
    Replicas,
    Resources,
    SecretRef,
)


class Image(Model):
    """Where images come from."""

    registry: str | None = Field(None, max_length=253, description="Prefix of every image, for a mirror.")
    tag: str | None = Field(
        None,
        max_length=128,
        pattern=r"^[\w.-]*$",
        description="Tag of the platform's own images; default the version.",
    )
    pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(
        None, description="When the kubelet pulls; default IfNotPresent."
    )
    pull_secrets: list[SecretRef] | None = Field(
        None, max_length=10, description="Secrets with the registry's credentials."
    )


class Ingress(Model):
    """An Ingress in front of the load balancer, and the entrance's TLS."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.className) || has(self.host)",
                "an Ingress needs ingress.host: name the public host or remove className",
                ".host",
            )
        )
    )
    class_name: Name | None = Field(None, description="IngressClass; default the cluster's.")
    host: Host | None = Field(None, description="Host name of the API; with it there is an Ingress.")
    tls_secret_name: Name | None = Field(
        None,
        description="TLS Secret of the Ingress, or without a host of the load balancer itself.",
    )


class LoadBalancer(Model):
    """How clients reach the platform."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.nodePort) || (has(self.type) && self.type != 'ClusterIP')",
                "nodePort needs type NodePort or LoadBalancer",
                ".nodePort",
            )
        )
    )
    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] | None = Field(
        None, description="Type of the Service; default ClusterIP."
    )
    node_port: NodePort | None = Field(None, description="Fixed node port of the Service.")
    ingress: Ingress | None = Field(None, description="Ingress and TLS; default none.")


class Autoscaling(Model):
    """A HorizontalPodAutoscaler instead of a fixed number of replicas."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",
                "minReplicas must not be above maxReplicas",
                ".minReplicas",
            )
        )
    )
    enabled: bool | None = Field(
        None, description="Default on in production for the services on a payment's path."
    )
    min_replicas: Annotated[int, Field(ge=1, le=100)] | None = Field(None, description="The floor.")
    max_replicas: Annotated[int, Field(ge=1, le=100)] | None = Field(None, description="The ceiling.")
    target_cpu: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None,
        alias="targetCPUUtilizationPercentage",
        description="Mean use of the requested CPU to aim at, in percent.",
    )
    waiting_per_replica: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None,
        description="Messages and rows of the outbox that may wait for each pod; more lift the floor, up to"
        " maxReplicas. Needs the operator and observability.prometheus; default: by CPU alone.",
    )


class EnvVar(Model):
    """One variable; secrets do not belong here."""

    name: str = Field(
        max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="Name of the variable."
    )
    value: str = Field(max_length=4096, description="Its value.")


class Service(Model):
    """Settings of one Deployment."""

    replicas: Replicas | None = Field(None, description="Pods; default by the profile.")
    autoscaling: Autoscaling | None = Field(
        None, description="Scaling by CPU; it owns the number of replicas then."
    )
    resources: Resources | None = Field(None, description="Requests and limits.")
    log_level: LogLevel | None = Field(
        None,
        description="Least that its logs tell; default observability.logs.level. A change restarts nothing."
        " Not of the load balancer.",
    )
    env: list[EnvVar] | None = Field(
        None,
        max_length=50,
        description="Further environment variables.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )


class Services(Model):
    """The eleven Deployments, each by its name."""

    model_config = ConfigDict(
        alias_generator=lambda name: name.replace("_", "-"),
        json_schema_extra=rules(
            Rule(
                "!has(self.load__dash__balancer) || !has(self.load__dash__balancer.logLevel)",
                "nginx writes an access log and has no level: remove services.load-balancer.logLevel",
            )
        ),
    )
    load_balancer: Service | None = Field(None, description="nginx before the gateway.")
    api_gateway: Service | None = Field(None, description="The public API.")
    confirm_service: Service | None = Field(None, description="Payments and their lifecycle.")
    risk_service: Service | None = Field(None, description="Score and level of a payment's risk.")
    notification_service: Service | None = Field(None, description="SMS, e-mail and push.")
    otp_service: Service | None = Field(None, description="One-time passwords.")
    account_service: Service | None = Field(None, description="Accounts and the ledger.")
    audit_service: Service | None = Field(None, description="The audit trail.")
    ofac_service: Service | None = Field(None, description="Sanctions screening.")
    kyc_service: Service | None = Field(None, description="Customers and their verification.")
    partner_bank_api: Service | None = Field(None, description="The partner bank's sandbox.")


class Cors(Model):
    """Cross-origin requests."""

    allowed_origins: list[Annotated[str, Field(max_length=253, pattern=r"^https?://[^\s,/*]+$")]] | None = (
        Field(
            None,
            max_length=50,
            description="Origins that browsers may call from; default localhost in dev, else none.",
        )
    )


class RateLimit(Model):
    """Requests for each client address."""

    requests: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(None, description="Default 100.")
    window: str | None = Field(
        None, max_length=8, pattern=r"^[1-9][0-9]*[smhd]$", description='Default "15m".'
    )


class NetworkPolicies(Model):
    """Network policies from the catalog of who calls whom."""

    enabled: bool | None = Field(None, description="Default true.")


class Security(Model):
    """Limits and openings of the API."""

    cors: Cors | None = Field(None, description="Cross-origin requests.")
    rate_limit: RateLimit | None = Field(None, description="Requests for each client address.")
    network_policies: NetworkPolicies | None = Field(None, description="Network policies.")
    key_rotation: KeyRotation | None = Field(None, description="Rotation of keys; needs the operator.")
    password_rotation: PasswordRotation | None = Field(
        None, description="Rotation of passwords; needs the operator."
    )


class Sanctions(Model):
    """Where the sanctions list comes from."""

    source: str | None = Field(
        None,
        max_length=500,
        pattern=r"^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[A-Za-z0-9._~/-]*)?$",
        description="URL of the folder with sdn.csv, alt.csv, add.csv and sdn_comments.csv, on port 443;"
        " default none: lists are loaded by hand.",
    )
    refresh_interval: str | None = Field(
        None,
        max_length=8,
        pattern=r"^[1-9][0-9]*[smhd]$",
        description='Between two looks at it. Default "1d".',
    )
    stale_after_days: Annotated[int, Field(ge=1, le=365)] | None = Field(
        None, description="From this age on the list is told to be stale. Default 7."
    )


class Demo(Model):
    """Sample customers."""

    enabled: bool | None = Field(None, description="Default on in dev and staging; refused in production.")


class PaymentPlatformSpec(Model):
    """What the platform is to be."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *(rule.mode_is_fixed(name) for name in DEPENDENCIES),
            *(rule.storage_only_grows(name) for name in DEPENDENCIES),
            *(rule.storage_class_is_fixed(name) for name in DEPENDENCIES),
            rule.brokers_are_fixed(),
            rule.restored_once(),
            *rule.archive_has_backups(),
            rule.no_demo_in_production(),
            rule.no_private_webhooks_in_production(),
            *(rule.real_provider_in_production(channel) for channel in ("sms", "email", "push")),
            rule.tls_in_production(),
            rule.one_entrance_in_production(),
            rule.cors_with_tls_in_production(),
            *(rule.volume_is_kept(part) for part in ("prometheus", "search", "influxdb")),
            rule.external_collector_is_named(),
        )
    )
    version: str | None = Field(
        None,
        max_length=64,
        pattern=r"^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$",
        description="Version of the platform; default the operator's.",
    )
    profile: Profile = Field(
        description="Defaults for everything that is not set: dev, staging or production."
    )
    paused: bool | None = Field(None, description="True: the operator writes nothing but the status.")
    image: Image | None = Field(None, description="Where images come from.")
    load_balancer: LoadBalancer | None = Field(None, description="How clients reach the platform.")
    services: Services | None = Field(None, description="Settings of single Deployments.")
    postgres: Postgres | None = Field(None, description="PostgreSQL.")
    redis: Redis | None = Field(None, description="Redis.")
    kafka: Kafka | None = Field(None, description="Kafka.")
    security: Security | None = Field(None, description="Limits and openings of the API.")
    notifications: Notifications | None = Field(None, description="Who delivers messages to customers.")
    webhooks: Webhooks | None = Field(None, description="Telling merchants' servers of events.")
    risk: Risk | None = Field(None, description="How payments are judged; default the built-in rules.")
    sanctions: Sanctions | None = Field(None, description="Where the sanctions list comes from.")
    health: Health | None = Field(None, description="How the operator learns whether payments go through.")
    resource_advice: ResourceAdvice | None = Field(
        None, description="What becomes of the advice about requests."
    )
    demo: Demo | None = Field(None, description="Sample customers.")
    verification: Verification | None = Field(
        None, description="The scheduled proof that no money is lost or doubled."
    )
    backup: Backup | None = Field(None, description="Backups of the database.")
    restore_from: RestoreFrom | None = Field(None, description="The backup that a new platform starts from.")
    observability: Observability | None = Field(None, description="What can be seen of the platform.")
