"""What watches the platform: each part by itself on, off and run by somebody else."""

from typing import Any

import pytest
import yaml

from tests.contract.chart.helm import (
    MANAGED,
    Object,
    Refused,
    catalog,
    environment,
    named,
    pods,
    render,
    template,
)
from tests.contract.chart.samples import EXTERNAL, PRODUCTION, PROFILES, STACK, WATCHED, merged
from tests.contract.chart.test_network import CATALOG, allowed, expected

PARTS = catalog()["observability"]
ALL = STACK["observability"]
JOBS = {"payment-services", "infrastructure", "otel-collector", "observability", "prometheus"}


def workloads(objects: list[Object]) -> set[str]:
    return {*named(objects, "Deployment"), *named(objects, "StatefulSet")} & set(PARTS)


def dev(**parts: Any) -> dict[str, Any]:
    return {"profile": "dev", "observability": parts}


def config(objects: list[Object], name: str) -> dict[str, Any]:
    (text,) = [
        text
        for file, text in named(objects, "ConfigMap")[name]["data"].items()
        if file in ("prometheus.yml", "config.yaml")
    ]
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_watches_unless_it_is_switched_on(profile: str) -> None:
    objects = render(PROFILES[profile])
    assert workloads(objects) == set()
    assert not [item for item in objects if "paymentplatform.dev/part" in item["metadata"]["labels"]]


@pytest.mark.parametrize("part", ALL)
@pytest.mark.parametrize(
    "base", [{"profile": "dev"}, PRODUCTION, EXTERNAL], ids=["dev", "production", "external"]
)
def test_each_part_alone_brings_its_own(part: str, base: dict[str, Any]) -> None:
    objects = render(merged(base, {"observability": {part: {"enabled": True}}}))
    wanted = {name for name, entry in PARTS.items() if entry["part"] == part and not entry.get("when")}
    assert workloads(objects) == wanted
    for item in objects:
        name, labels = item["metadata"]["name"], item["metadata"]["labels"]
        if name in wanted:
            assert labels["paymentplatform.dev/part"] == part
        else:
            assert "paymentplatform.dev/part" not in labels
    for name in wanted:
        assert {name} <= set(named(objects, "Service")) & set(named(objects, "ServiceAccount"))


def test_the_network_lets_through_what_watches_and_no_more() -> None:
    more = allowed(render(WATCHED)) - set(expected())
    services = CATALOG["services"]
    ours = {name for name, entry in services.items() if "module" in entry}
    wanted = {(name, "otel-collector", 4318) for name in ours}
    wanted |= {("prometheus", name, services[name]["port"]) for name in ours}
    wanted |= {("prometheus", "load-balancer", 8090), ("otel-collector", "jaeger", 4317)}
    wanted |= {
        ("prometheus", name, metric["port"])
        for name, entry in PARTS.items()
        if name != "prometheus"
        for metric in entry["metrics"]
    }
    wanted |= {
        (f"{name}-exporter", name, port)
        for name, port in (("postgres", 5432), ("redis", 6379), ("kafka", 9092))
    }
    wanted |= {("outside", "jaeger", 16686), ("outside", "prometheus", 9090)}
    assert more == wanted


def test_exporters_follow_the_dependencies_to_where_they_run() -> None:
    more = allowed(render(merged(EXTERNAL, STACK))) - set(expected(external=True, private_webhooks=False))
    assert {("postgres-exporter", "outside", 5433), ("redis-exporter", "outside", 6379)} <= more
    assert ("kafka-exporter", "outside", 9094) in more
    pod = dict(pods(render(merged(EXTERNAL, STACK))))
    assert (
        environment(pod["postgres-exporter"])["DATA_SOURCE_URI"]
        == "db-rw.databases:5433/payment_db?sslmode=require"
    )
    assert environment(pod["redis-exporter"])["REDIS_PASSWORD"] == {
        "secretKeyRef": {"name": "redis-login", "key": "password"}
    }


def test_every_pod_with_metrics_is_scraped_every_15_seconds() -> None:
    scraped = config(render(WATCHED), "prometheus")
    assert scraped["global"]["scrape_interval"] == "15s"
    jobs = {job["job_name"]: job for job in scraped["scrape_configs"]}
    assert set(jobs) == JOBS
    found = {
        (job, name, entry["port"])
        for job, settings in jobs.items()
        for entry in settings["dns_sd_configs"]
        for name in entry["names"]
    }
    services = CATALOG["services"]
    wanted = {
        ("payment-services", f"{name}-headless", entry["port"])
        for name, entry in services.items()
        if "module" in entry
    }
    wanted |= {("infrastructure", "load-balancer-headless", 8090)}
    wanted |= {
        (metric["job"], name, metric["port"]) for name, entry in PARTS.items() for metric in entry["metrics"]
    }
    assert found == wanted
    headless = named(render(WATCHED), "Service")
    for name in services:
        spec = headless[f"{name}-headless"]["spec"]
        assert (spec["clusterIP"], spec["publishNotReadyAddresses"]) == ("None", True)


def test_the_operator_is_scraped_where_it_says() -> None:
    where = {"operator": {"managed": True, "metrics": "payment-operator-metrics.ops:9090"}}
    objects = render(WATCHED | where)
    jobs = {job["job_name"]: job for job in config(objects, "prometheus")["scrape_configs"]}
    (entry,) = jobs["payment-operator"]["dns_sd_configs"]
    assert (entry["names"], entry["port"]) == (["payment-operator-metrics.ops"], 9090)
    assert ("prometheus", "outside", 9090) in allowed(objects)


@pytest.mark.parametrize(
    ("jaeger", "exporters"),
    [
        ({"enabled": False}, ["spanmetrics"]),
        ({"enabled": True}, ["spanmetrics", "otlp"]),
        (
            {"enabled": True, "mode": "External", "external": {"url": "http://jaeger.monitoring:4318"}},
            ["spanmetrics", "otlphttp"],
        ),
    ],
)
def test_traces_go_on_to_jaeger_where_there_is_one(jaeger: dict[str, Any], exporters: list[str]) -> None:
    objects = render(dev(collector={"enabled": True}, jaeger=jaeger))
    found = config(objects, "otel-collector")
    assert found["service"]["pipelines"]["traces"]["exporters"] == exporters
    assert found["service"]["pipelines"]["traces"]["processors"] == ["memory_limiter", "batch"]
    assert set(found["exporters"]) == {"prometheus", *exporters[1:]}
    assert (("otel-collector", "outside", 4318) in allowed(objects)) == ("otlphttp" in exporters)
    env = environment(dict(pods(objects))["confirm-service"])
    assert env["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://otel-collector:4318"


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


def test_settings_of_a_part_win() -> None:
    own = {
        "enabled": True,
        "retention": "90d",
        "storage": {"size": "40Gi", "className": "fast", "onDelete": "Retain"},
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1000M"}},
    }
    objects = render(dev(prometheus=own))
    item = named(objects, "StatefulSet")["prometheus"]
    env = environment(item["spec"]["template"])
    assert (env["RETENTION"], env["RETENTION_SIZE"]) == ("90d", "32768MB")
    assert env["GOMEMLIMIT"] == "857MiB"
    (claim,) = item["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "fast"
    assert item["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"


def test_credentials_are_made_for_what_runs() -> None:
    def made(values: dict[str, Any]) -> tuple[set[str], list[str]]:
        objects = render(values)
        rules = named(objects, "Role")["credentials"]["rules"]
        names = {name for rule in rules for name in rule.get("resourceNames", [])}
        job = dict(pods(objects))["credentials"]["spec"]["containers"][0]
        return names, job["command"]

    off, on = made({"profile": "dev"}), made(WATCHED)
    assert on[0] - off[0] == {"metrics-database"}
    assert "--parts" not in off[1]
    assert on[1][-2:] == ["--parts", "collector,jaeger,prometheus"]


def test_the_migration_makes_the_role_of_the_metrics_only_where_they_are_read() -> None:
    def roles(values: dict[str, Any]) -> set[str]:
        volumes = dict(pods(render(MANAGED | values)))["migrate"]["spec"]["volumes"]
        (found,) = [volume["projected"]["sources"] for volume in volumes if volume["name"] == "roles"]
        return {source["secret"]["name"] for source in found}

    assert roles(WATCHED) - roles({"profile": "dev"}) == {"metrics-database"}
