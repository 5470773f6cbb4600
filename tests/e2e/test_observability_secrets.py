"""Planted secrets, account numbers and the platform's own Secrets are found nowhere that people watch."""

import asyncio
import re
import sys
import time

from hack.kubectl import Cluster
from tests.e2e.conftest import secret
from tests.support.canaries import Planted, leaks
from tests.support.faults.world import World
from tests.support.observed.copies import missing_documents, missing_points
from tests.support.observed.jaeger import Jaeger
from tests.support.observed.places import secret_values, texts
from tests.support.observed.prometheus import Prometheus

#: Spans are sent every five seconds, metrics are scraped every fifteen.
SCRAPED_AFTER = 16.0


async def test_secrets_are_in_no_log_span_metric_event_index_or_status(
    cluster: Cluster, planted: Planted, world: World, jaeger: Jaeger, prometheus: Prometheus
) -> None:
    flows, token = planted.flows, secret(cluster, "influxdb-credentials", "token")
    hidden = len(flows.hidden) + len(flows.codes)
    own = secret_values(cluster)
    for name, value in own.items():
        flows.hide(f"Secret {name}", value)
    await world.everything_told()
    assert await missing_documents(cluster, world, seconds=30) == []
    assert await missing_points(cluster, world, token, seconds=30) == []
    await asyncio.sleep(max(0.0, planted.done + SCRAPED_AFTER - time.time()))
    looked = await asyncio.to_thread(texts, cluster, jaeger, planted.began, token)
    looked |= {f"Prometheus {place}": text for place, text in prometheus.everything().items()}
    counts = {
        kind: sum(place.startswith(kind) for place in looked)
        for kind in ("log", "trace", "documents", "points", "Prometheus")
    }
    assert all(counts.values()), counts
    # What is not secret is seen: the customer in the index, account numbers by their ends, routes in metrics.
    assert flows.customer in looked["documents"]
    assert re.search(rf"\*+{flows.account[-4:]}\b", looked["documents"])
    assert "/v1/accounts/{number}" in looked["Prometheus label http_route"]
    found = await asyncio.to_thread(leaks, flows, looked)
    size = sum(map(len, looked.values()))
    sys.stdout.write(f"{hidden} planted, {len(own)} of Secrets; {counts}, {size} characters: {found}\n")
    assert found == []
