"""The operator is killed amid the changes that it carries out; what is declared comes about, and once."""

import asyncio
import random
import time
from collections import Counter
from functools import partial

import pytest

from hack.kubectl import Cluster
from tests.chaos.conftest import Paying
from tests.e2e.conftest import Note
from tests.support.chaos import platform
from tests.support.chaos.waiting import seconds_until
from tests.support.faults.proof import proven
from tests.support.faults.sizes import rng
from tests.support.faults.world import World
from tests.support.pods import delete, sigkill

#: Lease, back-off of the kubelet, start: then the writes, one service after the other.
MADE_UP_FOR = 120.0


def kill_amid_changes(cluster: Cluster, dice: random.Random, rounds: int) -> str:
    """So many changes of three services, each with a kill within two seconds of it."""
    before = platform.generations(cluster)
    took, ways = [], Counter[str]()
    for number in range(rounds):
        value = f"{number}-{dice.getrandbits(16):04x}"
        way = "pod" if number % 2 else "process"
        pod = platform.operator_pod(cluster)
        platform.change(cluster, value)
        time.sleep(dice.uniform(0, 2))  # any moment of the reconcile
        if platform.carried_out(cluster, value):
            ways[f"{way}, when all was written"] += 1
        else:
            ways[f"{way}, before"] += 1
        if way == "pod":
            delete(cluster, pod)
        else:
            assert sigkill(pod), "the operator's process had gone"
        written = partial(platform.carried_out, cluster, value)
        took.append(seconds_until(written, MADE_UP_FOR, f"change {number} after the {way} was killed"))
        platform.ready(cluster)
    grown = {name: value - before[name] for name, value in platform.generations(cluster).items()}
    assert grown == {name: rounds if name in platform.CHANGED else 0 for name in grown}, grown
    return (
        f"killed {rounds} times ({dict(ways)}): all written {max(took):.0f} s after at the latest; "
        f"each of {len(platform.CHANGED)} Deployments changed once by each change, no other one"
    )


@pytest.mark.timeout(1800)
async def test_the_operator_is_killed_amid_changes(
    cluster: Cluster, world: World, paying: Paying, number: int, rounds: int, note: Note
) -> None:
    async with paying() as load:
        told = await asyncio.to_thread(kill_amid_changes, cluster, rng("operator", number), rounds)
    note(f"seed {number}: {told}; {await proven(world, load)}")
