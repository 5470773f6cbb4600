"""How large the runs are: CI's sizes by default, `make soak` sets FAULTS_SIZE=soak. The seed is printed."""

import os
import random
import secrets
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sizes:
    """Counts and seconds of one run of all suites."""

    bank_payments: int  # for each fault
    late_seconds: float
    race_rounds: int
    racers: int
    same_key: int
    crash_rounds: int  # for each service and outcome
    kill_seconds: float
    kafka_seconds: float
    outage_seconds: float
    rate: float  # payments a second
    cluster_seconds: float
    cluster_rate: float


CI = Sizes(
    bank_payments=30,
    late_seconds=9,
    race_rounds=3,
    racers=200,
    same_key=100,
    crash_rounds=1,
    kill_seconds=20,
    kafka_seconds=15,
    outage_seconds=1.5,
    rate=8,
    cluster_seconds=30,
    cluster_rate=8,
)
SOAK = Sizes(
    bank_payments=10_000,
    late_seconds=20,
    race_rounds=20,
    racers=200,
    same_key=100,
    crash_rounds=100,
    kill_seconds=1200,
    kafka_seconds=60,
    outage_seconds=20,
    rate=15,
    cluster_seconds=1200,
    cluster_rate=10,
)


def sizes() -> Sizes:
    """Those that the environment asks for: FAULTS_SIZE, and FAULTS_SCALE for a part of the soak."""
    if os.environ.get("FAULTS_SIZE") != "soak":
        return CI
    scale = float(os.environ.get("FAULTS_SCALE", "1"))
    return replace(
        SOAK,
        bank_payments=max(CI.bank_payments, round(SOAK.bank_payments * scale)),
        race_rounds=max(CI.race_rounds, round(SOAK.race_rounds * scale)),
        crash_rounds=max(CI.crash_rounds, round(SOAK.crash_rounds * scale)),
        kill_seconds=max(CI.kill_seconds, SOAK.kill_seconds * scale),
        cluster_seconds=max(CI.cluster_seconds, SOAK.cluster_seconds * scale),
    )


def seed() -> int:
    """FAULTS_SEED, or a new one."""
    return int(os.environ.get("FAULTS_SEED") or secrets.randbelow(10**9))


def rng(name: str, number: int) -> random.Random:
    """Randomness of one suite, the same for the same seed whichever suites run."""
    return random.Random(f"{number} {name}")
