"""Fifty payments of every kind: each is in a trace, in the index, in the points; nothing waits in Kafka."""

import asyncio
import re
import sys
import time
from collections.abc import Callable
from typing import Any

from hack.kubectl import Cluster
from hack.up import NAMESPACE
from tests.e2e.conftest import secret
from tests.support.faults.world import World
from tests.support.observed.copies import missing_documents, missing_points
from tests.support.observed.jaeger import CONSUMER, Jaeger, Trace
from tests.support.observed.mixed import Fifty
from tests.support.observed.stores import documents, points

CONFIRM = "POST /v1/payments/{id}/confirm"
SUCCEEDED = ("on_us", "off_us", "otp", "refund", "off_us_refund")
#: Status in the table, by kind; who has too little money may try again.
STATUS = {
    **dict.fromkeys(SUCCEEDED, "succeeded"),
    **{"declined": "requires_confirmation", "sanctioned": "failed", "cancelled": "canceled"},
}


async def until_none(look: Callable[[], list[Any]], seconds: float) -> list[Any]:
    """What `look` finds, looked at again until it is nothing or the time is over."""
    end = time.monotonic() + seconds
    while (found := await asyncio.to_thread(look)) and time.monotonic() < end:
        await asyncio.sleep(1)
    return found


async def test_each_ended_as_it_should(fifty: Fifty, world: World) -> None:
    rows = await world.ends([payment.id for payment in fifty.made])
    statuses = {row["id"]: row["status"] for row in rows}
    assert {p.id: STATUS[p.kind] for p in fifty.made} == statuses
    refunded = await world.sql(
        "SELECT payment_id, status FROM payments.refunds WHERE payment_id = ANY ($1)", list(statuses)
    )
    wanted = {(payment, "succeeded") for payment in fifty.of("refund", "off_us_refund")}
    assert {(row["payment_id"], row["status"]) for row in refunded} == wanted and len(refunded) == len(wanted)
    told = await world.everything_told()
    sys.stdout.write(f"{len(rows)} payments, {len(refunded)} refunds, all told after {told:.1f} s\n")


def faults(fifty: Fifty, traces: dict[str, list[Trace]]) -> list[str]:
    """What is not as it should be with the traces of the payments."""
    found = []
    for payment in fifty.made:
        mine = traces[payment.id]
        for trace in mine:
            if len(trace.roots) != 1 or trace.orphans:
                orphans = [f"{span.service} {span.name}" for span in trace.orphans]
                found.append(f"{payment}: {trace.id} has {len(trace.roots)} roots, orphans {orphans}")
        names = sorted(trace.roots[0].name for trace in mine if trace.roots)
        if "POST /v1/payments" not in names:
            found.append(f"{payment}: its creation is in no trace: {names}")
        if payment.kind == "cancelled":
            found += [] if "POST /v1/payments/{id}/cancel" in names else [f"{payment}: {names}"]
        elif not (confirmed := [t for t in mine if t.roots and t.roots[0].name == CONFIRM]):
            found.append(f"{payment}: its confirmation is in no trace: {names}")
        elif payment.kind in SUCCEEDED and not any(map(whole, confirmed)):
            found.append(f"{payment}: {[sorted(trace.services) for trace in confirmed]}")
        if payment.kind == "otp" and len(confirmed) != 2:
            found.append(f"{payment}: {len(confirmed)} traces of confirmations")
        if payment.kind.endswith("refund") and "POST /v1/payments/{id}/refunds" not in names:
            found.append(f"{payment}: its refund is in no trace: {names}")
    return found


def whole(trace: Trace, least: int = 7) -> bool:
    """From the gateway through that many services to both consumers, with what became of the payment."""
    outcomes = {span.tags.get("payment.outcome") for span in trace.spans if span.service == "confirm-service"}
    told = {span.service for span in trace.spans if span.tags.get("span.kind") == CONSUMER}
    consumers = {"audit-service", "notification-service"}
    return "succeeded" in outcomes and consumers <= told and len(trace.services) >= least


async def test_each_has_traces_without_orphans(fifty: Fifty, jaeger: Jaeger) -> None:
    ids = [payment.id for payment in fifty.made]
    found = await until_none(lambda: faults(fifty, jaeger.of_payments(ids, fifty.began)), 30)
    assert found == [], found[:10]
    traces = {trace.id: trace for mine in jaeger.of_payments(ids, fifty.began).values() for trace in mine}
    services = [len(trace.services) for trace in traces.values() if whole(trace)]
    spans = sum(len(trace.spans) for trace in traces.values())
    sys.stdout.write(
        f"{len(traces)} traces, {spans} spans; confirmations: {min(services)} to {max(services)} services\n"
    )


async def test_the_index_holds_exactly_the_rows_of_the_trail(
    cluster: Cluster, fifty: Fifty, world: World
) -> None:
    found = await missing_documents(cluster, world, seconds=40)
    assert found == [], found[:10]
    kept = await asyncio.to_thread(documents, cluster)
    about = {document["payment_id"] for document in kept.values()}
    assert {payment.id for payment in fifty.made} <= about
    sys.stdout.write(f"{len(kept)} documents\n")


async def test_there_is_one_point_for_each_finished_payment(
    cluster: Cluster, fifty: Fifty, world: World
) -> None:
    token = secret(cluster, "influxdb-credentials", "token")
    found = await missing_points(cluster, world, token, seconds=40)
    assert found == [], found[:10]
    kept = {point["payment_id"]: point for point in await asyncio.to_thread(points, cluster, token)}
    for payment in fifty.made:
        status = STATUS[payment.kind]
        assert kept.get(payment.id, {}).get("status", "requires_confirmation") == status, payment
    sys.stdout.write(f"{len(kept)} points\n")


async def test_no_consumer_has_anything_left_to_read(cluster: Cluster, fifty: Fifty) -> None:
    command = ["/opt/kafka/bin/kafka-consumer-groups.sh", "--bootstrap-server", "kafka:9092"]
    rows: list[list[str]] = []

    def behind() -> list[list[str]]:
        told = cluster.kubectl(
            *("-n", NAMESPACE, "exec", "kafka-0", "--", *command, "--describe", "--all-groups")
        )
        # GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG …; "-" stands for what there is none of.
        rows[:] = [line.split() for line in told.splitlines() if re.match(r"\S+ +\S+ +\d+ ", line)]
        return [row for row in rows if row[4] != "0" and row[5] != "0"]

    found = await until_none(behind, 30)
    assert found == []
    assert {row[0] for row in rows} >= {"audit-service", "notification-service"}
    read = sum(int(row[4]) for row in rows if row[4] != "-")
    assert read >= 3 * len(fifty.made)
    sys.stdout.write(
        f"{len(rows)} partitions of {len({row[0] for row in rows})} groups, {read} records, lag 0\n"
    )
