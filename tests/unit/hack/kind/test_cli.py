import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hack.kind import cli, cluster
from hack.kind.proc import CommandFailed, Failure, run
from hack.kind.settings import Cache, Settings


def test_up_hands_on_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Settings] = []
    monkeypatch.setattr(cluster, "up", seen.append)
    assert cli.main(["up", "--name", "trial", "--nodes", "3", "--port-offset", "500"]) == 0
    assert (seen[0].cluster, seen[0].nodes, seen[0].port_offset) == ("trial", 3, 500)


def test_failures_are_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Settings) -> None:
        raise Failure("port 8080 is taken")

    monkeypatch.setattr(cluster, "up", fail)
    assert cli.main(["up"]) == 1
    assert capsys.readouterr().err == "error: port 8080 is taken\n"


@pytest.mark.parametrize("arguments", [["up", "--nodes", "0"], ["up", "--name", "Bad Name"]])
def test_senseless_arguments_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["fly"], ["load"], ["docker", "--nodes", "2"]])
def test_unknown_words_end_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(arguments)
    assert raised.value.code == 2


def test_exports_put_our_programs_first_once(tmp_path: Path) -> None:
    settings = Settings(Cache(tmp_path / "a cache"))
    own = str(tmp_path / "a cache" / "bin")
    text = cli.exports(settings, f"/usr/bin:{own}:/bin")
    words = dict(shlex.split(line)[1].split("=", 1) for line in text.splitlines())
    assert words["PATH"] == f"{own}:/usr/bin:/bin"
    assert words["PAYMENTS_CONTEXT"] == "kind-payments"


def test_failed_program_shows_the_end_of_its_output(tmp_path: Path) -> None:
    script = "for i in $(seq 100); do echo line $i; done; exit 3"
    with pytest.raises(CommandFailed, match="code 3") as raised:
        run(["sh", "-c", script], timeout=10, log=tmp_path / "log")
    assert raised.value.output.endswith("line 100")
    assert "line 50\n" not in raised.value.output


def test_log_of_an_earlier_run_is_not_shown(tmp_path: Path) -> None:
    run(["echo", "earlier"], timeout=10, log=tmp_path / "log")
    with pytest.raises(CommandFailed) as raised:
        run(["sh", "-c", "echo now; exit 1"], timeout=10, log=tmp_path / "log")
    assert raised.value.output == "now"


def test_missing_program_is_named() -> None:
    with pytest.raises(CommandFailed, match="no-such-program.*no such program"):
        run(["no-such-program"], timeout=1)


def test_overrun_ends_the_program_and_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(CommandFailed, match="did not end within"):
        run(["sh", "-c", f"sleep 60 & echo $! > {pid}; wait"], timeout=0.5)
    assert gone(int(pid.read_text()))


def test_killed_run_takes_its_program_along(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = f"from hack.kind.proc import run; run(['sh', '-c', 'echo $$ > {pid}; exec sleep 60'], timeout=60)"
    process = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 10
    while not (pid.exists() and pid.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    assert gone(int(pid.read_text()))


def gone(pid: int) -> bool:
    """Whether the process ends within a few seconds (a zombie has ended)."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False
