"""The copies of the audit trail, asked through kubectl's port-forward: the index and the bucket."""

import csv
import io
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hack.kubectl import Cluster
from hack.up import NAMESPACE
from tests.support.observed.http import SECONDS, ask

DOCUMENTS = "payment-audit-*"
_POINTS = """from(bucket: "payment-metrics") |> range(start: 2020-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z)
  |> filter(fn: (r) => r._measurement == "payment")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")"""


@contextmanager
def forwarded(cluster: Cluster, target: str, port: int) -> Iterator[str]:
    """URL on this machine of a port of a Service or pod of the sample, while the block lasts."""
    command = ["kubectl", "--context", cluster.settings.context, "-n", NAMESPACE]
    process = subprocess.Popen(
        [*command, "port-forward", "--pod-running-timeout=20s", target, f":{port}"],
        env=cluster.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Forwarding from"), f"{target} cannot be reached"
        yield f"http://{line.split()[2]}"
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def documents(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """Every document of the index, by its id. Raises OSError while the engine is away."""
    found: dict[str, dict[str, Any]] = {}
    with forwarded(cluster, "service/search", 9200) as url:
        ask(f"{url}/{DOCUMENTS}/_refresh", {})
        total = int(ask(f"{url}/{DOCUMENTS}/_count")["count"])
        after: list[Any] = [-1]
        while True:
            body = {"size": 5000, "sort": [{"seq": "asc"}], "search_after": after}
            hits = ask(f"{url}/{DOCUMENTS}/_search", body)["hits"]["hits"]
            if not hits:
                break
            found |= {hit["_id"]: hit["_source"] for hit in hits}
            after = hits[-1]["sort"]
    assert len(found) >= total, "documents without a place in the chain"
    return found


def counted(cluster: Cluster, target: dict[str, Any]) -> int:
    """How many documents or groups answer a panel's question, put as Grafana does."""
    groups: dict[str, Any] = {}
    for group in reversed(target["bucketAggs"]):
        settings = {
            key: value for key, value in group["settings"].items() if key in ("size", "min_doc_count")
        }
        if group["type"] == "date_histogram":
            settings = {"fixed_interval": "1m"}
        groups = {group["id"]: {group["type"]: {"field": group["field"], **settings}, "aggs": groups}}
    body = {
        "size": 0 if groups else int(target["metrics"][0]["settings"]["size"]),
        "query": {
            "bool": {
                "filter": [
                    {"range": {target["timeField"]: {"gte": "now-1h"}}},
                    {"query_string": {"query": target["query"]}},
                ]
            }
        },
        "aggs": groups,
    }
    with forwarded(cluster, "service/search", 9200) as url:
        answer = ask(f"{url}/{DOCUMENTS}/_search", body)
    if not groups:
        return len(answer["hits"]["hits"])
    return sum(len(found["3"]["buckets"]) for found in answer["aggregations"]["2"]["buckets"])


def points(cluster: Cluster, token: str) -> list[dict[str, str]]:
    """Every point of the bucket as a row of text. Raises OSError while InfluxDB is away."""
    return flux(cluster, token, _POINTS)


def flux(cluster: Cluster, token: str, query: str) -> list[dict[str, str]]:
    """What a query finds, as rows of text. Raises OSError while InfluxDB is away."""
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/vnd.flux"}
    with forwarded(cluster, "service/influxdb", 8086) as url:
        address = f"{url}/api/v2/query?org=payment-org"
        request = urllib.request.Request(address, query.encode(), headers | {"Accept": "application/csv"})
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            text = answer.read().decode()
    found: list[dict[str, str]] = []
    names: list[str] = []
    for row in csv.reader(io.StringIO(text)):
        if "_time" in row:
            names = row
        elif row:
            found.append(dict(zip(names, row, strict=True)))
    return found
