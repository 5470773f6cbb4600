"""make soak: the suites of faults, API and verification at full size, on processes and the running cluster.

Every run prints its seed and its counts; the same seed makes the same choices again.
"""

import argparse
import os
import secrets
import subprocess
import sys
from pathlib import Path

from hack.command import exit_with
from hack.progress import say

REPOSITORY = Path(__file__).parents[1]
SUITES = {
    "bank": "tests/faults/test_bank.py",
    "races": "tests/faults/test_races.py",
    "late": "tests/faults/test_late.py",
    "crashes": "tests/faults/test_crashes.py",
    "kills": "tests/faults/test_kills.py",
    "kafka": "tests/faults/test_kafka.py",
    "outages": "tests/faults/test_outages.py",
    "ledger": "tests/integration/account/test_histories.py",
    "api": "tests/integration/api",
    "verification": "tests/integration/verification/test_volume.py",
    "screening": "tests/integration/ofac/test_quality.py",
    "controlplane": "tests/controlplane",
    "cluster": "tests/e2e/test_faults.py",
    "upgrade": "tests/e2e/test_upgrade.py",
    "rotation": "tests/e2e/test_password_rotation.py",
    "observability": "tests/e2e/test_observability_outages.py",
}


def main() -> int:
    """Run the chosen suites one after the other; 1 when one of them found something."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument(
        "suites", nargs="*", metavar="SUITE", help=f"{', '.join(SUITES)} (all); the last four: `make up`"
    )
    parser.add_argument("--seed", type=int, help="repeat a run")
    parser.add_argument("--ci", action="store_true", help="the small sizes of CI")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the soak, e.g. 0.1 (1)")
    arguments = parser.parse_args()
    if unknown := set(arguments.suites) - set(SUITES):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    seed = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    environment = {**os.environ, "FAULTS_SEED": str(seed), "FAULTS_SIZE": "ci" if arguments.ci else "soak"}
    environment["FAULTS_SCALE"] = str(arguments.scale)
    environment |= {"SEED": str(seed), "SOAK": "" if arguments.ci else "1"}
    failed = []
    for suite in arguments.suites or SUITES:
        say(f"{suite}, seed {seed}")
        # No limit of time but the suite's own: a soak takes hours.
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--timeout=0",
            "-m",
            "slow or not slow",
            SUITES[suite],
        ]
        if subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode:
            failed.append(suite)
    say(f"seed {seed}: " + (f"failed: {', '.join(failed)}" if failed else "nothing lost, nothing doubled"))
    return 1 if failed else 0


if __name__ == "__main__":
    exit_with(main)
