"""Packets between the operator and the API server get lost; connections stay open and say nothing."""

import asyncio
import time

import pytest

from hack.kubectl import Cluster
from hack.up import NAMESPACE
from tests.chaos.conftest import Paying
from tests.e2e.conftest import Note
from tests.support.chaos import platform
from tests.support.chaos.faults import connections, dropped, lift, silence
from tests.support.chaos.waiting import seconds_until
from tests.support.faults.proof import proven
from tests.support.faults.world import World

#: A full pass is at most a third late; it takes some seconds itself.
FULL_PASS, SPREAD, GRACE = 90.0, 4 / 3, 10.0
#: Longer than the operator may go on without its Lease.
NOTHING_PASSES = 40.0
#: No payment needs it.
CHILD = ("poddisruptionbudget", "ofac-service")


def uid(cluster: Cluster) -> str:
    """Of the child; "" while there is none."""
    kind, name = CHILD
    found = cluster.get("-n", NAMESPACE, kind, f"--field-selector=metadata.name={name}")["items"]
    return str(found[0]["metadata"]["uid"]) if found else ""


def delete(cluster: Cluster) -> str:
    """Delete the child; what its identity was."""
    before = uid(cluster)
    assert before
    cluster.kubectl("-n", NAMESPACE, "delete", *CHILD)
    return before


def silent_watches(cluster: Cluster) -> str:
    """All connections of now say nothing any more; new ones work."""
    pod = platform.operator_pod(cluster)
    restarted = pod["status"]["containerStatuses"][0]["restartCount"]
    held = connections(pod)
    assert len(held) > 5, f"the operator watches more than {held}"
    silence(pod, held)
    before = delete(cluster)
    limit = FULL_PASS * SPREAD + GRACE
    back = seconds_until(lambda: uid(cluster) not in ("", before), limit, "the child back with dead watches")
    lost = dropped(pod["spec"]["nodeName"])
    still = set(held) & set(connections(pod))
    assert lost > 0, "no packet was dropped"
    assert still, "the operator noticed: its watches were not dead but closed"
    lift(cluster)
    after = platform.operator_pod(cluster)
    assert after["metadata"]["uid"] == pod["metadata"]["uid"]
    assert after["status"]["containerStatuses"][0]["restartCount"] == restarted
    return (
        f"{len(still)} connections silent but open, {lost} packets lost, full pass every {FULL_PASS:.0f} s: "
        f"a deleted child is back after {back:.0f} s, same process"
    )


def nothing_passes(cluster: Cluster) -> str:
    """No packet passes for longer than the Lease lasts."""
    pod = platform.operator_pod(cluster)
    silence(pod, [])
    before = delete(cluster)
    time.sleep(NOTHING_PASSES)
    assert uid(cluster) == "", "somebody else brought the child back"
    lift(cluster)
    back = seconds_until(
        lambda: uid(cluster) not in ("", before), FULL_PASS + GRACE, "the child back after the packets"
    )
    return f"nothing passes for {NOTHING_PASSES:.0f} s: a child deleted meanwhile is back {back:.0f} s after"


@pytest.mark.timeout(900)
async def test_16_a_deleted_child_comes_back_while_packets_get_lost(
    cluster: Cluster, world: World, paying: Paying, note: Note
) -> None:
    async with paying() as load:
        told = [await asyncio.to_thread(way, cluster) for way in (silent_watches, nothing_passes)]
    note(f"{'; '.join(told)}; {await proven(world, load)}")
