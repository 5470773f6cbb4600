"""What watches the platform, where it is run by somebody else: its address and its credentials."""

from typing import Any

import pytest
import yaml

from payment_operator.credentials import referenced
from payment_operator.values import parse
from tests.contract.chart.helm import Refused, environment, named, pods, render, template
from tests.contract.chart.observability import config, dev, workloads
from tests.contract.chart.test_network import CATALOG, allowed

HEADER = ("authorization",)


def asked_for(values: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """The Secrets that the operator looks for, with the keys that they must have."""
    return {name: keys for name, (_, keys) in referenced(parse(values)).items()}


def header(secret: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": secret, "key": "authorization"}}


def test_a_collector_of_somebody_else() -> None:
    parts = {"collector": {"enabled": True, "mode": "External"}}
    with pytest.raises(Refused, match=r"observability.tracing.endpoint: required"):
        template(dev(**parts))
    objects = render(dev(**parts, tracing={"endpoint": "http://collector.monitoring:4319"}))
    assert workloads(objects) == set()
    env = environment(dict(pods(objects))["confirm-service"])
    assert env["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector.monitoring:4319"


def test_a_jaeger_of_somebody_else_needs_its_address() -> None:
    with pytest.raises(Refused, match=r"observability.jaeger.external.url: required"):
        template(dev(jaeger={"enabled": True, "mode": "External"}))


def test_a_prometheus_of_somebody_else_reaches_the_metrics() -> None:
    objects = render(dev(prometheus={"enabled": True, "mode": "External"}))
    assert workloads(objects) == {"postgres-exporter", "redis-exporter", "kafka-exporter"}
    found = allowed(objects)
    assert {("outside", "postgres-exporter", 9187), ("outside", "confirm-service", 3003)} <= found


def test_search_and_points_of_somebody_else() -> None:
    search = {"enabled": True, "mode": "External", "external": {"url": "https://search.example.com"}}
    points = {
        "enabled": True,
        "mode": "External",
        "external": {"url": "http://influxdb.monitoring:8086", "credentialsSecretRef": {"name": "points"}},
    }
    objects = render(dev(search=search, influxdb=points))
    assert workloads(objects) == set()
    env = environment(dict(pods(objects))["audit-service"])
    assert env["SEARCH_URL"] == "https://search.example.com"
    assert "SEARCH_PASSWORD" not in env and "SEARCH_USERNAME" not in env
    assert env["INFLUXDB_TOKEN"] == {"secretKeyRef": {"name": "points", "key": "token"}}
    assert {("audit-service", "outside", 443), ("audit-service", "outside", 8086)} <= allowed(objects)
    with pytest.raises(Refused, match="observability.influxdb.external.credentialsSecretRef.name: required"):
        template(
            dev(influxdb=points | {"external": {"url": "http://influxdb:8087"}}), "--skip-schema-validation"
        )


def test_a_search_engine_that_asks_for_a_login() -> None:
    external = {"url": "https://search.example.com:9200", "credentialsSecretRef": {"name": "search-login"}}
    values = dev(
        search={"enabled": True, "mode": "External", "external": external}, grafana={"enabled": True}
    )
    objects = render(values)
    for name in ("audit-service", "grafana"):
        env = environment(dict(pods(objects))[name])
        assert env["SEARCH_USERNAME"] == {"secretKeyRef": {"name": "search-login", "key": "username"}}
        assert env["SEARCH_PASSWORD"] == {"secretKeyRef": {"name": "search-login", "key": "password"}}
        assert (name, "outside", 9200) in allowed(objects)
    assert asked_for(values)["search-login"] == ("username", "password")


def test_a_collector_of_somebody_else_that_asks_for_credentials() -> None:
    tracing = {
        "endpoint": "https://otlp.example.com",
        "credentialsSecretRef": {"name": "otlp"},
    }
    values = dev(tracing=tracing, collector={"enabled": True, "mode": "External"})
    found = dict(pods(render(values)))
    for name, entry in CATALOG["services"].items():
        env = environment(found[name])
        assert env.get("OTEL_EXPORTER_OTLP_AUTHORIZATION") == (header("otlp") if "module" in entry else None)
    assert asked_for(values) == {"otlp": HEADER}
    # The platform's own collector is told nothing of it, and nobody while there are no traces.
    for other in (dev(collector={"enabled": True}), dev(tracing=tracing | {"enabled": False})):
        env = environment(dict(pods(render(other)))["confirm-service"])
        assert "OTEL_EXPORTER_OTLP_AUTHORIZATION" not in env


def test_a_store_of_traces_of_somebody_else_that_asks_for_credentials() -> None:
    external = {"url": "https://tempo.example.com", "credentialsSecretRef": {"name": "tempo"}}
    values = dev(
        collector={"enabled": True}, jaeger={"enabled": True, "mode": "External", "external": external}
    )
    objects = render(values)
    exporter = config(objects, "otel-collector")["exporters"]["otlphttp"]
    assert exporter["headers"] == {"authorization": "${env:JAEGER_AUTHORIZATION}"}
    assert environment(dict(pods(objects))["otel-collector"])["JAEGER_AUTHORIZATION"] == header("tempo")
    assert asked_for(values) == {"tempo": HEADER}
    assert ("otel-collector", "outside", 443) in allowed(objects)


def test_a_prometheus_of_somebody_else_that_asks_for_credentials() -> None:
    external = {"url": "https://prometheus.example.com", "credentialsSecretRef": {"name": "metrics-reader"}}
    values = dev(
        grafana={"enabled": True}, prometheus={"enabled": True, "mode": "External", "external": external}
    )
    objects = render(values)
    text = named(objects, "ConfigMap")["grafana"]["data"]["datasources.yaml"]
    (source,) = [item for item in yaml.safe_load(text)["datasources"] if item["uid"] == "prometheus"]
    assert source["url"] == "https://prometheus.example.com"
    assert source["jsonData"]["httpHeaderName1"] == "Authorization"
    assert source["secureJsonData"] == {"httpHeaderValue1": "$PROMETHEUS_AUTHORIZATION"}
    env = environment(dict(pods(objects))["grafana"])
    assert env["PROMETHEUS_AUTHORIZATION"] == header("metrics-reader")
    assert asked_for(values) == {"metrics-reader": HEADER}
    assert ("grafana", "outside", 443) in allowed(objects)
