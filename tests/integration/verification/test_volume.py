"""Verification of many payments ends in time. SIZE payments: 300, a million entries in a soak."""

import os
import random

from tests.integration.verification.bulk import write
from tests.integration.verification.plants import plant
from tests.integration.verification.world import World

SIZE = int(os.environ.get("SIZE") or (375_000 if os.environ.get("SOAK") else 300))
#: A verification may take this long, and this for each payment.
SECONDS, SECONDS_EACH = 20.0, 0.0005


def test_many_payments_are_verified_in_time(world: World) -> None:
    with world.copy() as (name, connection):
        entries = write(connection, SIZE)
        taken = {}
        slowest: dict[str, float] = {}
        for command in ("money", "reconcile", "run"):
            answer = world.verify(name, command, "--grace", "0", "--format", "json")
            assert answer.code == 0, answer.output + answer.errors
            slowest |= {check["check"]: check["seconds"] for check in answer.report["checks"]}
            taken[command] = sum(check["seconds"] for check in answer.report["checks"])
        planted = plant(connection, random.Random(world.seed), 50)
        assert world.found(name, "reconcile") == set(planted), f"seed {world.seed}"
    print(f"{entries} entries: seconds {taken}, of these {slowest}")  # noqa: T201
    assert max(taken.values()) < SECONDS + SIZE * SECONDS_EACH, taken
