"""The operator is killed at its writes during an install; what the next one finds is enough to go on from."""

import random
import re
import time
from collections import Counter

from hack.controlplane.api import Api, wait
from hack.controlplane.audit import Audit
from hack.controlplane.operators import Operator
from hack.controlplane.proxy import Proxy
from hack.controlplane.servers import ControlPlane
from tests.controlplane.changes import Child, children
from tests.controlplane.conftest import Note

HASH = re.compile(r"-[0-9a-f]{10}$")
PLAIN, KILLED = "steps-plain", "steps-killed"


def test_an_operator_that_is_killed_at_any_write_is_made_up_for(
    plane: ControlPlane, api: Api, audit: Audit, seed: int, soak: bool, note: Note
) -> None:
    chance = random.Random(seed)
    began = time.monotonic()
    for name in (PLAIN, KILLED):
        api.namespace(name)
        api.declare(name)
    with Operator(plane, number=0, namespaces=[PLAIN]):
        wait(lambda: api.is_ready(PLAIN), 180, f"{PLAIN} Ready")
    writes = sum(call.writes for call in audit.calls(PLAIN))
    with (
        Proxy(plane, seed) as proxy,
        Operator(plane, number=1, namespaces=[KILLED], url=proxy.url) as operator,
    ):
        kills = Counter[str]()
        while True:
            done = chance.random() < 0.7
            step = 1 if soak else chance.randint(writes // 8, writes // 4)
            proxy.set(writes=0, kill_at=step, kill_pid=operator.process.pid, kill_done=done)
            wait(lambda: api.is_ready(KILLED) or not operator.runs, 90, "Ready or killed", pause=0.05)
            if operator.runs:
                break
            kills["after" if done else "before"] += 1
            operator.start()
        wait(lambda: api.is_ready(KILLED), 180, f"{KILLED} Ready")
    took = time.monotonic() - began
    assert sum(kills.values()) >= 3
    reference, found = children(api, PLAIN), children(api, KILLED)
    # The name of the migrations' Job ends with a hash of its inputs, which are the namespace's own.
    assert {_plain(key) for key in found} == {_plain(key) for key in reference}
    # Nothing was made twice: each object is of the first generation, and each credential was created once.
    again = [key for key, item in found.items() if item["metadata"].get("generation", 1) > 1]
    created = Counter(call.name for call in audit.calls(KILLED) if call.verb == "create" and call.code == 201)
    assert again == []
    assert max(created.values()) == 1
    note(
        f"seed {seed}: killed {sum(kills.values())} times ({dict(kills)} the write) in an install of "
        f"{writes} writes; same {len(found)} children, none changed twice, {len(created)} Secrets made once; "
        f"{took:.0f} s"
    )


def _plain(child: Child) -> Child:
    return child[0], HASH.sub("", child[1])
