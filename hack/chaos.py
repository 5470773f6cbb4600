"""make chaos: faults of a whole cluster while customers pay, on a cluster of three nodes of its own.

Each experiment puts the cluster back and proves the books by SQL; the same seed makes the same choices
again. What a failed one left is in build/e2e/<test>. The cluster stays: `make chaos-down` deletes it.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hack.command import exit_with
from hack.kubectl import Cluster
from hack.progress import say, step
from hack.up import NAMESPACE

REPOSITORY = Path(__file__).parents[1]
TESTS = REPOSITORY / "tests/chaos"
PLATFORM = TESTS / "platform"
EXPERIMENTS = {
    "dependencies": "PostgreSQL, Redis and Kafka are killed, one and two at once",
    "operator": "the operator is killed while it works",
    "apiserver": "the API server is away for half a minute",
    "watches": "packets between operator and API server are lost",
    "drain": "a node is drained",
    "wedged": "a service's process is stopped; a consumer hangs",
    "load": "three times the load",
}
#: Beside the cluster of `make up`, if there is one.
OWN = {"PAYMENTS_CLUSTER": "payments-chaos", "NODES": "3", "PORT_OFFSET": "2500"}
#: What keeps data stays on the node where it began: the others can be drained.
KEEPERS = ("postgres-0", "redis-0", "kafka-0")


def main() -> int:
    """Run the chosen experiments one after the other; 1 when one of them found something."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    told = "; ".join(f"{name}: {what}" for name, what in EXPERIMENTS.items())
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help=f"{told} (all)")
    parser.add_argument("--seed", type=int, help="repeat a run")
    parser.add_argument(
        "--rounds",
        type=int,
        default=4,
        choices=range(1, 101),
        metavar="N",
        help="kills of the operator, 1 to 100 (4)",
    )
    parser.add_argument("--rate", type=float, default=1.0, help="payments a second (1)")
    parser.add_argument("--down", action="store_true", help="delete the cluster")
    arguments = parser.parse_args()
    if unknown := set(arguments.experiments) - set(EXPERIMENTS):
        parser.error(f"no such experiment: {', '.join(sorted(unknown))}")
    if not 0 < arguments.rate <= 20:
        parser.error("--rate must be above 0 and at most 20")
    for name, value in OWN.items():
        os.environ.setdefault(name, value)
    if arguments.down:
        return subprocess.run([sys.executable, "-m", "hack.kind", "down"], cwd=REPOSITORY).returncode
    seed = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    bring_up()
    os.environ |= {
        "FAULTS_SEED": str(seed),
        "CHAOS_ROUNDS": str(arguments.rounds),
        "CHAOS_RATE": str(arguments.rate),
    }
    failed = [name for name in arguments.experiments or EXPERIMENTS if not run(name, seed)]
    say(f"seed {seed}: " + (f"failed: {', '.join(failed)}" if failed else "nothing lost, nothing doubled"))
    say("the cluster stays; make chaos-down deletes it")
    return 1 if failed else 0


def run(name: str, seed: int) -> bool:
    """One experiment; whether it held."""
    say(f"{name}, seed {seed}: {EXPERIMENTS[name]}")
    command = [sys.executable, "-m", "pytest", "-q", "-s", str(TESTS / f"test_{name}.py")]
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode == 0


def bring_up() -> None:
    """The cluster with its platform; made when it is not there. Raises CalledProcessError."""
    subprocess.run([sys.executable, "-m", "hack.kind", "up"], check=True, cwd=REPOSITORY)
    cluster = Cluster.from_environment()
    workers = [
        item["metadata"]["name"]
        for item in cluster.get("nodes", "-l", "!node-role.kubernetes.io/control-plane")["items"]
    ]
    if len(workers) < 2:
        name = cluster.settings.cluster
        raise RuntimeError(f"{name} has {len(workers)} workers, not 2: make chaos-down chaos makes it anew")
    command = [sys.executable, "-m", "hack.up", "--sample", str(PLATFORM)]
    with step("platform") as current:
        others = [] if _kept(cluster) else sorted(workers)[1:]
        _cordon(cluster, "cordon", others)
        up = subprocess.Popen(command, cwd=REPOSITORY)
        try:
            while others and up.poll() is None:
                time.sleep(2)
                if _kept(cluster):
                    current.note(f"data is kept on {sorted(workers)[0]}; {', '.join(others)} may be drained")
                    break
            _cordon(cluster, "uncordon", others)
            if up.wait():
                raise subprocess.CalledProcessError(up.returncode, command)
        finally:
            if up.poll() is None:
                up.terminate()
                up.wait(30)
            _cordon(cluster, "uncordon", others)


def _kept(cluster: Cluster) -> bool:
    """Whether all that keeps data has its node."""
    pods = cluster.get("-n", NAMESPACE, "pods")["items"]
    placed = {pod["metadata"]["name"] for pod in pods if pod["spec"].get("nodeName")}
    return placed.issuperset(KEEPERS)


def _cordon(cluster: Cluster, how: str, nodes: Sequence[str]) -> None:
    for node in nodes:
        cluster.kubectl(how, node)


if __name__ == "__main__":
    exit_with(main)
