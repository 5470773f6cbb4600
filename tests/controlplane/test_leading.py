"""One operator at a time, by the API server's record."""

import signal
from collections.abc import Mapping
from concurrent.futures import Future

import pytest

from hack.controlplane.api import crowding
from hack.controlplane.leaders import TAKEOVER, Takeover
from tests.controlplane.conftest import Note


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM], ids=lambda how: how.name)
def test_20_another_operator_takes_over_and_one_writes_at_a_time(
    takeovers: Mapping[signal.Signals, Future[Takeover]], how: signal.Signals, note: Note
) -> None:
    found = takeovers[how].result(timeout=240)
    assert len(found.turns) == 2, [str(call) for call in found.writes]
    assert found.seconds <= (10 if how == signal.SIGTERM else TAKEOVER) * crowding()
    note(
        f"leader ended by {how.name} amid its work: another one leads after {found.seconds:.1f} s "
        f"and writes after {found.work:.1f} s; "
        f"{len(found.writes)} writes of two operators, first one's, then the other's"
    )
