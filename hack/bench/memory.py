"""Memory of the sample: of each container at rest and after a bounded load, and of the node.

`python -m hack.bench.memory` writes this section of RESULTS.md alone, `make bench` all of them.
Needs `make up` before. The load makes customers of its own, which stay.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.bench.load import payments
from hack.bench.sections import replaced
from hack.kubectl import Cluster
from hack.progress import step
from hack.samples import create
from hack.up import NAMESPACE, OPERATOR_NAMESPACE

RESULTS = Path(__file__).parent / "RESULTS.md"
TITLE = "Memory (working set)"
SECONDS, RATE = 60, 10
CUSTOMERS, BALANCE = 8, 100_000_00
#: The kubelet looks at its containers every ten seconds or so.
FRESH_SECONDS = 20.0
#: What the dev profile, the stack that watches and Kubernetes may take together.
ALLOWED_MIB = 6 * 1024
Pod = tuple[str, str]


@dataclass(frozen=True)
class Usage:
    """Working sets in MiB: by container (all pods of a workload together), and of all nodes as wholes."""

    containers: Mapping[str, float]
    pods: Mapping[str, int]
    nodes: float

    def of(self, names: Iterable[str]) -> float:
        """Of these containers together."""
        return sum(self.containers.get(name, 0.0) for name in names)


@dataclass(frozen=True)
class Measured:
    """Before and after a load that ended so; `watching` are the containers that no payment needs."""

    idle: Usage
    after: Usage
    watching: frozenset[str]
    outcomes: Mapping[str, int]
    seconds: float
    rate: float


def measure(cluster: Cluster, *, seconds: float = SECONDS, rate: float = RATE) -> Measured:
    """Look, load the sample, and look again.

    Raises:
        RuntimeError: payments did not succeed, so that nothing is known of memory under load.
    """
    customers = create(cluster, NAMESPACE, CUSTOMERS, BALANCE)
    time.sleep(FRESH_SECONDS)
    idle = used(cluster)
    url = f"http://localhost:{8080 + (cluster.settings.port_offset or 0)}"
    outcomes = asyncio.run(payments(url, customers, seconds=seconds, rate=rate))
    if outcomes["succeeded"] < 0.95 * outcomes.total():
        raise RuntimeError(f"payments did not succeed: {dict(outcomes)}")
    time.sleep(FRESH_SECONDS)
    parts = cluster.get("-n", NAMESPACE, "deployments,statefulsets", "-l", "paymentplatform.dev/part")
    watching = frozenset(f"{NAMESPACE}/{item['metadata']['name']}" for item in parts["items"])
    return Measured(idle, used(cluster), watching, outcomes, seconds, rate)


def used(cluster: Cluster) -> Usage:
    """What the kubelets say of the sample's and the operator's pods, but those of Jobs, and of the nodes."""
    owners: dict[Pod, str] = {}
    for namespace in (NAMESPACE, OPERATOR_NAMESPACE):
        for pod in cluster.get("-n", namespace, "pods")["items"]:
            if name := workload(pod):
                owners[namespace, pod["metadata"]["name"]] = f"{namespace}/{name}"
    paths = [
        f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary"
        for node in cluster.get("nodes")["items"]
    ]
    return summed([json.loads(cluster.kubectl("get", "--raw", path)) for path in paths], owners)


def workload(pod: Mapping[str, Any]) -> str:
    """What a pod belongs to; "" for one of a Job, which comes and goes."""
    metadata = pod["metadata"]
    if any(owner["kind"] == "Job" for owner in metadata.get("ownerReferences", ())):
        return ""
    return str(metadata["labels"]["app.kubernetes.io/name"])


def summed(summaries: Iterable[Mapping[str, Any]], owners: Mapping[Pod, str]) -> Usage:
    """The kubelets' summaries by workload; containers of a pod with several are told apart."""
    containers: Counter[str] = Counter()
    pods: Counter[str] = Counter()
    nodes = 0
    for summary in summaries:
        nodes += summary["node"]["memory"]["workingSetBytes"]
        for pod in summary["pods"]:
            owner = owners.get((pod["podRef"]["namespace"], pod["podRef"]["name"]))
            found = pod.get("containers", ()) if owner else ()
            for container in found:
                name = f"{owner} ({container['name']})" if len(found) > 1 else str(owner)
                containers[name] += container.get("memory", {}).get("workingSetBytes", 0)
                pods[name] += 1
    return Usage({name: value / 2**20 for name, value in containers.items()}, pods, nodes / 2**20)


def lines(found: Measured) -> list[str]:
    """The section."""
    idle, after = found.idle, found.after
    names = sorted(idle.containers.keys() | after.containers.keys())
    own = [name for name in names if name.startswith(f"{NAMESPACE}/")]
    watching = [name for name in own if name.split(" ")[0] in found.watching]
    ended = ", ".join(f"{count} {outcome}" for outcome, count in sorted(found.outcomes.items()))
    return [
        f"The sample of `make up` at rest, and after {found.seconds:.0f} s of {found.rate:g} payments a",
        f"second through the load balancer ({ended}).",
        "Pods of a workload are added up: `python -m hack.bench.memory`.",
        "",
        "| Container | Pods | At rest, MiB | After the load, MiB |",
        "|---|---|---|---|",
        *(
            f"| {name} | {max(idle.pods.get(name, 0), after.pods.get(name, 0))} |"
            f" {idle.containers.get(name, 0):.0f} | {after.containers.get(name, 0):.0f} |"
            for name in names
        ),
        f"| **{NAMESPACE} in all** | | **{idle.of(own):.0f}** | **{after.of(own):.0f}** |",
        f"| of that, what watches | | {idle.of(watching):.0f} | {after.of(watching):.0f} |",
        f"| **the node as a whole, Kubernetes included** | | **{idle.nodes:.0f}** | **{after.nodes:.0f}** |",
        "",
        f"The dev profile may take {ALLOWED_MIB} MiB of a node, all of the above included.",
    ]


def main() -> int:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench.memory", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of load ({SECONDS})")
    parser.add_argument("--rate", type=float, default=RATE, help=f"payments a second ({RATE})")
    parser.add_argument("--output", type=Path, default=RESULTS, help=f"the report ({RESULTS.name})")
    arguments = parser.parse_args()
    with step("memory at rest and after a load"):
        found = measure(Cluster.from_environment(), seconds=arguments.seconds, rate=arguments.rate)
    before = arguments.output.read_text() if arguments.output.exists() else "# Results\n"
    arguments.output.write_text(replaced(before, TITLE, lines(found)))
    sys.stdout.write("\n".join(lines(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
