"""The API server is away for half a minute: payments go on, and afterwards all is as declared."""

import asyncio
import time

import pytest

from hack.kubectl import Cluster
from hack.up import NAMESPACE
from tests.chaos.conftest import Paying
from tests.e2e.conftest import Note
from tests.support.chaos import platform
from tests.support.chaos.faults import api_server_away, silent
from tests.support.chaos.waiting import seconds_until
from tests.support.faults.load import Load
from tests.support.faults.proof import proven
from tests.support.faults.world import World

AWAY = 30.0
#: Behaviour 21.
DECLARED_WITHIN = 60.0
CHILD = ("poddisruptionbudget", "kyc-service")


def outage(cluster: Cluster, load: Load, value: str) -> str:
    """Half a minute without an API server, then at once a change and a deleted child."""
    uid = cluster.get("-n", NAMESPACE, *CHILD)["metadata"]["uid"]
    before = platform.restarts(cluster)
    began = time.monotonic()
    with api_server_away(cluster):
        gone, paid = time.monotonic(), len(load.outcomes)
        time.sleep(AWAY)
        paid = len(load.outcomes) - paid
        lasted = time.monotonic() - gone
        assert silent(cluster), "somebody has started the API server again"
    away = time.monotonic() - began
    platform.change(cluster, value)
    cluster.kubectl("-n", NAMESPACE, "delete", *CHILD, "--wait=false")
    back = seconds_until(
        lambda: platform.carried_out(cluster, value) and _new(cluster, uid),
        DECLARED_WITHIN,
        "all as declared",
    )
    assert paid > 0, f"no payment ended in the {lasted:.0f} s without an API server"
    after = platform.restarts(cluster)
    again = {name: after[name] - count for name, count in before.items() if after.get(name, count) != count}
    assert not again, f"containers started again meanwhile: {again}"
    platform.ready(cluster)
    return f"away for {away:.0f} s, {paid} payments made meanwhile; as declared {back:.0f} s after its return"


def _new(cluster: Cluster, uid: str) -> bool:
    kind, name = CHILD
    found = cluster.get("-n", NAMESPACE, kind, f"--field-selector=metadata.name={name}")["items"]
    return bool(found) and found[0]["metadata"]["uid"] != uid


@pytest.mark.timeout(900)
async def test_the_api_server_is_away_for_half_a_minute(
    cluster: Cluster, world: World, paying: Paying, number: int, note: Note
) -> None:
    async with paying() as load:
        told = await asyncio.to_thread(outage, cluster, load, f"away-{number}")
    note(f"{told}; {await proven(world, load)}")
