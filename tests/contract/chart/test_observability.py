"""What watches the platform: each part by itself on and off."""

from typing import Any

import pytest
import yaml

from tests.contract.chart.helm import (
    CHART,
    MANAGED,
    Object,
    Refused,
    environment,
    named,
    pods,
    render,
    template,
)
from tests.contract.chart.observability import PARTS, config, dev, workloads
from tests.contract.chart.samples import EXTERNAL, PRODUCTION, PROFILES, STACK, WATCHED, merged
from tests.contract.chart.test_network import CATALOG, allowed, expected

ALL = STACK["observability"]
JOBS = {"payment-services", "infrastructure", "otel-collector", "observability", "prometheus"}


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
        for metric in entry.get("metrics", [])
    }
    wanted |= {
        (f"{name}-exporter", name, port)
        for name, port in (("postgres", 5432), ("redis", 6379), ("kafka", 9092))
    }
    wanted |= {("audit-service", "search", 9200), ("audit-service", "influxdb", 8086)}
    wanted |= {
        ("grafana", name, PARTS[name]["port"]) for name in ("prometheus", "jaeger", "search", "influxdb")
    }
    wanted |= {("search-dashboards", "search", 9200)}
    wanted |= {
        ("outside", name, PARTS[name]["port"])
        for name in ("jaeger", "prometheus", "grafana", "search-dashboards")
    }
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
        (metric["job"], name, metric["port"])
        for name, entry in PARTS.items()
        for metric in entry.get("metrics", [])
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
    assert on[0] - off[0] == {
        *("metrics-database", "search-credentials", "influxdb-credentials", "grafana-admin")
    }
    assert "--parts" not in off[1]
    assert on[1][-2:] == ["--parts", "collector,grafana,influxdb,jaeger,prometheus,search"]


def test_the_migration_makes_the_role_of_the_metrics_only_where_they_are_read() -> None:
    def roles(values: dict[str, Any]) -> set[str]:
        volumes = dict(pods(render(MANAGED | values)))["migrate"]["spec"]["volumes"]
        (found,) = [volume["projected"]["sources"] for volume in volumes if volume["name"] == "roles"]
        return {source["secret"]["name"] for source in found}

    assert roles(WATCHED) - roles({"profile": "dev"}) == {"metrics-database"}


def test_the_audit_trail_goes_to_what_is_enabled() -> None:
    env = environment(dict(pods(render(WATCHED)))["audit-service"])
    assert (env["SEARCH_URL"], env["INFLUXDB_URL"]) == ("http://search:9200", "http://influxdb:8086")
    assert env["SEARCH_PASSWORD"] == {"secretKeyRef": {"name": "search-credentials", "key": "password"}}
    assert env["INFLUXDB_TOKEN"] == {"secretKeyRef": {"name": "influxdb-credentials", "key": "token"}}
    assert env["SEARCH_RETENTION_SECONDS"] == str(7 * 86_400)


@pytest.mark.parametrize(
    ("engine", "images"),
    [
        ("OpenSearch", ["opensearchproject/opensearch:", "opensearchproject/opensearch-dashboards:"]),
        (
            "Elasticsearch",
            ["docker.elastic.co/elasticsearch/elasticsearch:8.", "docker.elastic.co/kibana/kibana:8."],
        ),
    ],
)
def test_one_switch_chooses_the_engine_and_its_pages(engine: str, images: list[str]) -> None:
    found = dict(
        pods(render(dev(search={"enabled": True, "engine": engine, "dashboards": {"enabled": True}})))
    )
    for name, image in zip(("search", "search-dashboards"), images, strict=True):
        assert found[name]["spec"]["containers"][0]["image"].startswith(image)
    with pytest.raises(Refused, match="observability.search.engine: .Solr. is unknown"):
        template(dev(search={"engine": "Solr"}), "--skip-schema-validation")


def test_grafana_has_a_source_for_each_part_that_runs() -> None:
    def sources(values: dict[str, Any]) -> dict[str, Any]:
        text = named(render(values), "ConfigMap")["grafana"]["data"]["datasources.yaml"]
        return {item["uid"]: item for item in yaml.safe_load(text)["datasources"]}

    every = sources(WATCHED)
    assert set(every) == {"prometheus", "jaeger", "search", "influxdb"}
    assert "password" not in str(every["search"]["jsonData"])
    assert set(sources(dev(grafana={"enabled": True}))) == set()
    alone = dev(grafana={"enabled": True}, prometheus={"enabled": True})
    assert sources(alone)["prometheus"]["url"] == "http://prometheus:9090"


def test_grafana_brings_every_dashboard_of_the_chart() -> None:
    data = named(render(WATCHED), "ConfigMap")["grafana"]["data"]
    boards = {file.name for file in (CHART / "dashboards").glob("*.json")}
    assert set(data) == boards | {"datasources.yaml", "providers.yaml"}
    rules = named(render(WATCHED), "ConfigMap")["prometheus"]["data"]
    assert set(rules) == {file.name for file in (CHART / "alerts").glob("*.yaml")} | {"prometheus.yml"}


def test_a_prometheus_operator_is_told_of_every_target() -> None:
    def monitors(values: dict[str, Any], *options: str) -> list[Object]:
        objects = [item for item in yaml.safe_load_all(template(values, *options)) if item]
        return [item for item in objects if item["kind"] == "ServiceMonitor"]

    there = ("--api-versions", "monitoring.coreos.com/v1")
    assert monitors(WATCHED) == monitors({"profile": "dev"}, *there) == []
    assert monitors(MANAGED | WATCHED, *there) == []
    objects = render(WATCHED)
    wanted = {
        (name, entry["port"])
        for job in config(objects, "prometheus")["scrape_configs"]
        for entry in job["dns_sd_configs"]
        for name in entry["names"]
    }
    found = set()
    for item in monitors(WATCHED, *there):
        (endpoint,) = item["spec"]["endpoints"]
        selector = item["spec"]["selector"]["matchLabels"].items()
        for name, service in named(objects, "Service").items():
            for port in service["spec"]["ports"]:
                if selector <= service["metadata"]["labels"].items() and port["name"] == endpoint["port"]:
                    found.add((name, port["port"]))
    assert found == wanted
