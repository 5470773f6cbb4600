"""The part of the spec about what can be seen of a platform: traces, metrics and who keeps them."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from payment_operator.rules import Rule, rules
from payment_operator.spec_parts import ADDRESS, Collector, Grafana, Influxdb, Jaeger, Prometheus, Search
from payment_operator.spec_types import LogLevel, Model, SecretRef

#: Those that can be switched on.
PARTS = ("collector", "jaeger", "prometheus", "grafana", "search", "influxdb")


class Tracing(Model):
    """Traces of requests and payments, sent to a collector by OTLP over HTTP."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.credentialsSecretRef) || (has(self.endpoint) && self.endpoint != '')",
                "credentialsSecretRef is for a collector outside: set endpoint or remove it",
                ".credentialsSecretRef",
            )
        )
    )
    enabled: bool | None = Field(
        None, description="Default on: traces are sent as soon as there is a collector to send them to."
    )
    sampling_ratio: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description="Share of the traces begun at the gateway that is recorded;"
        " default 1 in dev, 0.25 in staging, 0.05 in production.",
    )
    endpoint: str | None = Field(
        None,
        max_length=300,
        pattern=f"^(|{ADDRESS})$",
        description='A collector outside the platform, as "http://otel-collector.monitoring:4318";'
        " default the platform's own, if it has one.",
    )
    credentials_secret_ref: SecretRef | None = Field(
        None,
        description="Secret with the key authorization, sent to the endpoint as the header of that name;"
        " default: it asks for none.",
    )


class Logs(Model):
    """The services' logs, one JSON line an event."""

    level: LogLevel | None = Field(
        None,
        description="Least that is told, by services without a logLevel of their own; default INFO. A change"
        " restarts nothing: pods follow it within two minutes.",
    )


class Observability(Model):
    """What can be seen of the platform."""

    logs: Logs | None = Field(None, description="The services' logs.")

    tracing: Tracing | None = Field(None, description="Traces of requests and payments.")
    collector: Collector | None = Field(None, description="The OpenTelemetry Collector.")
    jaeger: Jaeger | None = Field(None, description="Jaeger, which keeps and shows traces.")
    prometheus: Prometheus | None = Field(
        None, description="Prometheus, with exporters of PostgreSQL, Redis and Kafka."
    )
    grafana: Grafana | None = Field(None, description="Grafana, with dashboards and data sources.")
    search: Search | None = Field(None, description="The search engine that holds the audit trail.")
    influxdb: Influxdb | None = Field(None, description="InfluxDB, a point for each finished payment.")
