"""The parts of the observability stack, each switchable, and builtin or run by somebody else."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from payment_operator.rules import external_or_builtin, only_builtin
from payment_operator.spec_dependencies import Storage
from payment_operator.spec_types import Mode, Model, NodePort, Resources, SecretRef

_MODE = "Builtin (default) or External."
_ENABLED = "Default off."
_RESOURCES = "Requests and limits of the builtin one."
_NODE_PORT = "Fixed node port, for trials."

#: Scheme, host and port; a path would be of a certain API.
ADDRESS = r"https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[1-9][0-9]{0,4})?"
Url = Annotated[str, Field(max_length=300, pattern=f"^{ADDRESS}$")]
InfluxName = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Retention = Annotated[str, Field(max_length=6, pattern=r"^[1-9][0-9]{0,3}[hd]$")]


class Collector(Model):
    """The OpenTelemetry Collector: takes traces, counts spans, sends traces on to Jaeger."""

    model_config = ConfigDict(json_schema_extra=only_builtin("collector", "resources"))
    enabled: bool | None = Field(None, description=_ENABLED)
    mode: Mode | None = Field(
        None, description="Builtin (default) or External, which tracing.endpoint names then."
    )
    resources: Resources | None = Field(None, description=_RESOURCES)


class JaegerExternal(Model):
    """A Jaeger, or any other store of traces, that somebody else runs."""

    url: Url = Field(description='Where it takes OTLP over HTTP, as "http://jaeger.monitoring:4318".')
    credentials_secret_ref: SecretRef | None = Field(
        None,
        description="Secret with the key authorization, which the collector sends as the header of that name;"
        " default: it asks for none.",
    )


class Jaeger(Model):
    """Jaeger keeps traces in memory; the oldest give way."""

    model_config = ConfigDict(
        json_schema_extra=external_or_builtin("jaeger", "maxTraces", "resources", "nodePort")
    )
    enabled: bool | None = Field(None, description=_ENABLED)
    mode: Mode | None = Field(None, description=_MODE)
    max_traces: Annotated[int, Field(ge=100, le=1_000_000)] | None = Field(
        None, description="How many are kept; default 3000 in dev, 20000 in staging, 50000 in production."
    )
    resources: Resources | None = Field(None, description=_RESOURCES)
    node_port: NodePort | None = Field(None, description=_NODE_PORT)
    external: JaegerExternal | None = Field(None, description="Where it runs, with mode External.")


class PrometheusExternal(Model):
    """A Prometheus that somebody else runs."""

    url: Url = Field(description="Where Grafana and the operator ask it.")
    credentials_secret_ref: SecretRef | None = Field(
        None,
        description="Secret with the key authorization, which they send as the header of that name; default:"
        " it asks for none. The operator must be let read it (secretNames of its chart).",
    )


class Prometheus(Model):
    """Prometheus and exporters; with mode External the exporters alone, for another Prometheus."""

    model_config = ConfigDict(
        json_schema_extra=only_builtin("prometheus", "retention", "storage", "resources", "nodePort")
    )
    enabled: bool | None = Field(None, description=_ENABLED)
    mode: Mode | None = Field(None, description=_MODE)
    retention: Retention | None = Field(
        None, description='How long metrics are kept; default "2d" in dev, "15d" in staging, else "30d".'
    )
    storage: Storage | None = Field(
        None, description="Its volume; metrics fill eight tenths of it at most, then the oldest give way."
    )
    resources: Resources | None = Field(None, description=_RESOURCES)
    node_port: NodePort | None = Field(None, description=_NODE_PORT)
    external: PrometheusExternal | None = Field(None, description="Where it runs, for Grafana.")


class Grafana(Model):
    """Grafana; what is changed in its pages is gone with its pod, for all comes from the chart."""

    model_config = ConfigDict(json_schema_extra=only_builtin("grafana", "resources", "nodePort"))
    enabled: bool | None = Field(None, description=_ENABLED)
    mode: Mode | None = Field(
        None, description="Builtin (default) or External: the dashboards of the chart are loaded elsewhere."
    )
    resources: Resources | None = Field(None, description=_RESOURCES)
    node_port: NodePort | None = Field(None, description=_NODE_PORT)


class SearchExternal(Model):
    """A search engine that somebody else runs."""

    url: Url = Field(description='Its API, as "https://search.example.com:9200".')
    credentials_secret_ref: SecretRef | None = Field(
        None, description="Secret with username and password; default: it asks for none."
    )


class SearchDashboards(Model):
    """OpenSearch Dashboards or Kibana, by the engine."""

    enabled: bool | None = Field(None, description=_ENABLED)
    resources: Resources | None = Field(None, description="Requests and limits.")
    node_port: NodePort | None = Field(None, description=_NODE_PORT)


class Search(Model):
    """The audit trail in a search engine; PostgreSQL keeps the original."""

    model_config = ConfigDict(
        json_schema_extra=external_or_builtin("search", "storage", "resources", "dashboards")
    )
    enabled: bool | None = Field(None, description=_ENABLED)
    mode: Mode | None = Field(None, description=_MODE)
    engine: Literal["OpenSearch", "Elasticsearch"] | None = Field(None, description="Default OpenSearch.")
    retention: Retention | None = Field(
        None, description='How long events stay in the index; default "7d" in dev, else "90d".'
    )
    storage: Storage | None = Field(None, description="Volume of the builtin one.")
    resources: Resources | None = Field(None, description=_RESOURCES)
    dashboards: SearchDashboards | None = Field(None, description="Pages for it.")
    external: SearchExternal | None = Field(None, description="Where it runs, with mode External.")


class InfluxdbExternal(Model):
    """An InfluxDB 2 that somebody else runs."""

    url: Url = Field(description='Its API, as "http://influxdb.monitoring:8086".')
    credentials_secret_ref: SecretRef = Field(
        description="Secret with the key token, which may write to the bucket."
    )


class Influxdb(Model):
    """InfluxDB 2.7."""

    model_config = ConfigDict(json_schema_extra=external_or_builtin("influxdb", "storage", "resources"))
    enabled: bool | None = Field(None, description=_ENABLED)
    mode: Mode | None = Field(None, description=_MODE)
    organization: InfluxName | None = Field(None, description="Default payment-org.")
    bucket: InfluxName | None = Field(None, description="Default payment-metrics.")
    retention: Retention | None = Field(
        None, description='Of the bucket when it is made; default "7d" in dev, else "90d".'
    )
    storage: Storage | None = Field(None, description="Volume of the builtin one.")
    resources: Resources | None = Field(None, description=_RESOURCES)
    external: InfluxdbExternal | None = Field(None, description="Where it runs, with mode External.")
