"""Verification of many payments ends in time. SIZE payments, 300 with every `make test`."""

import os
import random
from collections.abc import Callable

from tests.integration.verification.bulk import write
from tests.integration.verification.plants import plant
from tests.integration.verification.world import World

SIZE = int(os.environ.get("SIZE", "300"))
#: A verification may take this long, and this for each payment.
SECONDS, SECONDS_EACH = 20.0, 0.0005


def test_many_payments_are_verified_in_time(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    with world.copy() as (name, connection):
        entries = write(connection, SIZE)
        taken = {}
        for command in ("money", "reconcile", "run"):
            answer = world.verify(name, command, "--grace", "0", "--format", "json")
            assert answer.code == 0, answer.output + answer.errors
            taken[command] = sum(check["seconds"] for check in answer.report["checks"])
        planted = plant(connection, random.Random(world.seed), 50)
        assert world.found(name, "reconcile") == set(planted), f"seed {world.seed}"
    record_property("entries", entries)
    record_property("seconds", taken)
    assert max(taken.values()) < SECONDS + SIZE * SECONDS_EACH, taken
