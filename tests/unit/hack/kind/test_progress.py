import threading

import pytest

from hack import progress


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (187, "3 min 07 s")],
)
def test_times_for_people(seconds: float, expected: str) -> None:
    assert progress.format_seconds(seconds) == expected


def test_step_tells_beginning_notes_and_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.step("Node image") as current:
        current.note("pulling")
        current.done("is here")
    out, err = capsys.readouterr()
    lines = [line.partition("] ")[2] for line in err.splitlines()]
    assert out == ""
    assert lines[:2] == ["Node image …", "    pulling"]
    assert lines[2].startswith("Node image: is here (")


def test_failed_step_is_named_and_raises(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no"), progress.step("Cluster"):
        raise ValueError("no")
    assert "Cluster: FAILED after" in capsys.readouterr().err


def test_long_step_says_that_it_is_alive(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "HEARTBEAT_SECONDS", 0.02)
    with progress.step("Build") as current:
        current.note("kubelet")
        for _ in range(200):
            if "still running" in (seen := capsys.readouterr().err):
                break
            threading.Event().wait(0.02)
    assert "… Build: kubelet (still running" in seen
