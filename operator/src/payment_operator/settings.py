"""Settings of the operator, read once from the environment (prefix PAYMENT_OPERATOR_)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from payment_operator.spec_types import LogLevel

FIELD_MANAGER = "payment-operator"
#: The Service of the operator's chart that leads to its metrics.
METRICS_SERVICE = "payment-operator-metrics"


class Settings(BaseSettings):
    """Each option with its unit and what it decides."""

    model_config = SettingsConfigDict(env_prefix="PAYMENT_OPERATOR_", frozen=True)

    chart: Path = Path("/charts/payment-platform")
    """Folder of the platform's chart; its version is the one that new platforms get."""
    versions: Path = Path("/charts/versions")
    """Folder with further charts, each in a folder of its own: the other versions that are carried."""
    defaults: Path = Path("/etc/payment-operator/defaults.yaml")
    """Defaults and quotas for all platforms; the file need not be there."""
    helm: str = "helm"
    """The helm binary."""
    helm_timeout: float = Field(default=20.0, gt=0)
    """Seconds for one render."""
    watch_namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    """Namespaces to look after, separated by commas; none means all of the cluster."""
    secret_names: Annotated[tuple[str, ...], NoDecode] = ()
    """Further Secrets that the operator may read, separated by commas: those that specs refer to."""
    lease_namespace: str = ""
    """Namespace of the Lease that lets one operator work at a time; empty: there is only this one."""
    identity: str = ""
    """Name of this operator in the Lease, its pod's; some random letters are added to it."""
    workers: int = Field(default=4, ge=1, le=64)
    """Platforms reconciled at the same time."""
    io_threads: int = Field(default=8, ge=1, le=64)
    """Requests to the API server at the same time, over all workers."""
    request_timeout: float = Field(default=10.0, gt=0)
    """Seconds for one request to the API server."""
    resync_seconds: float = Field(default=90.0, gt=0)
    """Mean time between two looks at a platform that nothing happened to; spread by a third to both sides."""
    settle_seconds: float = Field(default=300.0, gt=0)
    """Time that a restart, or a dependency that came back, is given before a service counts as hanging."""
    scale_in_seconds: float = Field(default=60.0, gt=0)
    """Between two steps down of the floor of an autoscaled service whose backlog is gone."""
    advice_seconds: float = Field(default=86400.0, gt=0)
    """Between two changes of what one service asks for, where spec.resourceAdvice has them applied."""
    metrics_port: int = Field(default=9090, ge=0, le=65535)
    """Port of /metrics; 0 switches it off."""
    health_port: int = Field(default=8080, ge=0, le=65535)
    """Port of /healthz; 0 switches it off."""
    trace_endpoint: str = Field(default="", pattern=r"^(|https?://\S+)$")
    """Base URL of a collector of traces (OTLP over HTTP); empty: no traces."""
    trace_ratio: float = Field(default=1.0, ge=0, le=1)
    """Share of the reconciles that is recorded as a trace."""
    log_level: LogLevel = "INFO"
    """Until the file says otherwise."""
    log_level_file: Path = Path("/etc/payment-operator/log-level")
    """Holds the level, and may change; it need not be there."""

    @property
    def metrics_address(self) -> str:
        """Where Prometheus finds /metrics, as host:port; "" outside a cluster."""
        if not (self.lease_namespace and self.metrics_port):
            return ""
        return f"{METRICS_SERVICE}.{self.lease_namespace}:{self.metrics_port}"

    @field_validator("watch_namespaces", "secret_names", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value
