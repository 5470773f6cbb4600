"""Modules that run at once."""

import subprocess
import time

import pytest

from hack.side_by_side import Runner, Stopped, side_by_side


def python(run: Runner, code: str) -> str:
    return run("timeit", "-n", "1", "-r", "1", code)


def test_each_marks_its_progress(capfd: pytest.CaptureFixture[str]) -> None:
    def told(run: Runner) -> None:
        python(run, "from hack.progress import say; say('here')")

    side_by_side({"one": told, "other": told})
    lines = capfd.readouterr().err
    assert "one   | here" in lines
    assert "other | here" in lines


def test_the_first_that_fails_ends_the_others() -> None:
    ends: list[str] = []

    def waits(run: Runner) -> None:
        try:
            python(run, "import time; time.sleep(50)")
        except subprocess.CalledProcessError:
            ends.append("interrupted")
        try:
            python(run, "0")
        except Stopped:
            ends.append("began nothing more")

    def fails(run: Runner) -> None:
        time.sleep(0.5)
        run("timeit", "--no-such-option")

    began = time.monotonic()
    with pytest.raises(subprocess.CalledProcessError) as failed:
        side_by_side({"waits": waits, "fails": fails})
    assert "--no-such-option" in failed.value.cmd
    assert ends == ["interrupted", "began nothing more"]
    assert time.monotonic() - began < 40
