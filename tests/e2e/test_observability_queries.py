"""No panel of the dashboards is empty and no rule reads series that are not there, on the real Prometheus."""

import asyncio
import sys

from hack.kubectl import Cluster
from hack.up import NAMESPACE
from hack.verify_money import in_cluster
from tests.e2e.conftest import secret
from tests.e2e.test_observability_payments import until_none
from tests.support.observed.jaeger import Jaeger
from tests.support.observed.mixed import Fifty
from tests.support.observed.prometheus import Prometheus
from tests.support.observed.queries import others, panels, rules, selectors
from tests.support.observed.stores import counted, flux

#: Panels that are empty on a platform such as the sample, and why that is right.
EMPTY = {"operator/Rotation due in/A": "the sample's keys rotate on demand only, so none is due"}
#: Series that rules read and the sample does not have, by what their selector begins with.
ABSENT = {
    "certmanager_": "told by cert-manager, which is a program beside the platform",
    "payment_operator_key_rotation_due_timestamp_seconds": EMPTY["operator/Rotation due in/A"],
    'http_server_request_duration_seconds_count{service="api-gateway", http_route!~"/live|/ready|/health|'
    '/metrics", http_response_status_code=~"5.."': "no request has ended so; the rule then says 0",
}


async def test_no_panel_is_empty(cluster: Cluster, fifty: Fifty, prometheus: Prometheus) -> None:
    assert fifty.made
    if not prometheus.query("payments_verification_mismatches").series:
        command = ["python3", "-m", "payments.verification", "run"]
        await asyncio.to_thread(in_cluster, cluster, NAMESPACE, command, 120)
    queries = list(panels())
    assert EMPTY.keys() <= {panel.name for panel in queries}

    def empty() -> list[str]:
        answers = [(panel, prometheus.query(panel.expr)) for panel in queries if panel.name not in EMPTY]
        return [
            f"{panel.name}: {answer.error or panel.expr}" for panel, answer in answers if not answer.series
        ]

    # A rate needs two scrapes of a series.
    found = await until_none(empty, 60)
    assert found == []
    sys.stdout.write(
        f"{len(queries)} queries of panels, {len(queries) - len(EMPTY)} have series; empty: {EMPTY}\n"
    )


def test_every_rule_runs_and_reads_series_that_are_there(fifty: Fifty, prometheus: Prometheus) -> None:
    assert fifty.made
    declared = rules()
    loaded = {rule["name"]: rule for rule in prometheus.rules()}
    assert loaded.keys() == declared.keys()
    bad = {name: rule.get("lastError") for name, rule in loaded.items() if rule["health"] != "ok"}
    assert bad == {}
    read = absent = 0
    for name, rule in declared.items():
        assert not (error := prometheus.query(rule["expr"]).error), f"{name}: {error}"
        found = selectors(rule["expr"])
        assert found, name
        for selector in found:
            read += 1
            if selector.startswith(tuple(ABSENT)):
                absent += 1
                continue
            answer = prometheus.query(f"last_over_time({selector}[5m])")
            assert answer.series, f"{name} reads {selector}: {answer.error or 'no series'}"
    alerts = sum("alert" in rule for rule in declared.values())
    sys.stdout.write(
        f"{alerts} alerts, {len(declared) - alerts} records; {read} selectors, {absent} absent\n"
    )


def test_the_panels_of_the_other_sources_have_something_to_show(
    cluster: Cluster, fifty: Fifty, jaeger: Jaeger
) -> None:
    assert fifty.made
    found: dict[str, int] = {}
    for name, target in others("jaeger").items():
        assert target["queryType"] == "search"
        found[name] = len(jaeger.traces(target["service"], fifty.began))
    for name, target in others("search").items():
        found[name] = counted(cluster, target)
    token = secret(cluster, "influxdb-credentials", "token")
    values = {
        **{"v.defaultBucket": '"payment-metrics"', "v.windowPeriod": "1m"},
        **{"v.timeRangeStart": "-1h", "v.timeRangeStop": "now()"},
    }
    for name, target in others("influxdb").items():
        query = target["query"]
        for variable, value in values.items():
            query = query.replace(variable, value)
        found[name] = len(flux(cluster, token, query))
    sys.stdout.write(f"{found}\n")
    assert len(found) == 5 and all(found.values())
