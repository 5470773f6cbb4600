"""Several platforms on one operator, one of which always fails; `make soak` takes a hundred."""

from hack.controlplane.api import Api, crowding
from hack.controlplane.scale import measure, percentile
from hack.controlplane.servers import ControlPlane
from tests.controlplane.conftest import Note


def test_22_a_failing_platform_does_not_slow_the_others(
    plane: ControlPlane, api: Api, seed: int, soak: bool, note: Note
) -> None:
    # What other tests left would be looked at, too.
    for left in api.list("PaymentPlatform"):
        api.delete("PaymentPlatform", left["metadata"]["namespace"], left["metadata"]["name"])
    count = 100 if soak else 3
    found = measure(plane, api, count, seed=seed, samples=20 if soak else 3, quiet=6 if soak else 2)
    alone, beside = (percentile(values, 0.95) for values in (found.repair, found.repair_beside_failing))
    assert beside <= max(2 * alone, 2.0) * crowding()
    assert found.memory < 150 or count > 10
    note(
        f"{count} platforms: repair p95 {alone:.2f} s, beside one that fails {beside:.2f} s; "
        f"{found.memory:.0f} MiB"
    )
