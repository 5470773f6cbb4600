"""Running other programs: each has a time limit, ends with an interrupted run, and shows why it failed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

TAIL_LINES = 25


class Failure(Exception):
    """Something the user has to know; printed without a traceback. Message: what failed, then what to do."""


class CommandFailed(Failure):
    """A program ended with an error or overran its time. `output` is the end of what it printed."""

    def __init__(self, command: Sequence[str], why: str, output: str) -> None:
        self.output = output
        shown = " ".join(command)
        shown = shown if len(shown) <= 200 else shown[:200] + " …"
        super().__init__(f"`{shown}` {why}" + (f":\n{output}" if output else ""))


def interrupt_on_term() -> None:
    """SIGTERM ends this process as Ctrl-C does: what it started is ended first."""

    def interrupt(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt(f"signal {number}")

    signal.signal(signal.SIGTERM, interrupt)


def tail(text: str, lines: int = TAIL_LINES) -> str:
    """The last lines of a program's output."""
    return "\n".join(text.rstrip().splitlines()[-lines:])


def _mortal(command: Sequence[str]) -> list[str]:
    """The command, made to end when this process is killed: no left-over works against the next run."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--", *command] if setpriv else list(command)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the program and its children (it leads a process group of its own)."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=5)
            return
        except subprocess.TimeoutExpired:
            continue


def run(
    command: Sequence[str],
    *,
    timeout: float,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    log: Path | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end.

    `timeout` in seconds. stdout and stderr are kept apart, unless `log` is given: then both are appended
    there and the result's stdout is empty. `environment` is added to this process's own. Raises CommandFailed
    on overrun, on a missing program and, with `check`, on an exit code other than 0.
    """
    full = {**os.environ, **(environment or {})}
    if shutil.which(command[0]) is None:
        raise CommandFailed(command, "cannot run: no such program", "")
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
    sink = log.open("ab") if log is not None else None
    start = sink.seek(0, os.SEEK_END) if sink is not None else 0

    def logged() -> str:
        if log is None:
            return ""
        with log.open("rb") as stream:
            stream.seek(start)
            return tail(stream.read().decode(errors="replace"))

    try:
        process = subprocess.Popen(
            _mortal(command),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=sink if sink is not None else subprocess.PIPE,
            stderr=subprocess.STDOUT if sink is not None else subprocess.PIPE,
            env=full,
            cwd=directory,
            start_new_session=True,
        )
    finally:
        if sink is not None:
            sink.close()
    with process:
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            _stop(process)
            raise CommandFailed(command, f"did not end within {timeout:.0f} s", logged()) from None
        except BaseException:
            _stop(process)
            raise
    result = subprocess.CompletedProcess(
        list(command),
        process.returncode,
        (out or b"").decode(errors="replace"),
        (err or b"").decode(errors="replace"),
    )
    if check and process.returncode != 0:
        shown = logged() if log is not None else tail(result.stdout + result.stderr)
        raise CommandFailed(command, f"ended with code {process.returncode}", shown)
    return result
