"""The Docker Engine: used where it answers, started where it does not, installed where there is none."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from hack.kind import debian, runc_bounded
from hack.kind.locks import locked
from hack.kind.proc import CommandFailed, Failure, run, tail
from hack.kind.settings import Settings
from hack.progress import Step, step

INFO_SECONDS = 10.0
START_SECONDS = 120.0  # it first ends the containers that a killed one left running
STUCK_SECONDS = 20.0
DAEMON_CONFIG = Path("/etc/docker/daemon.json")
RUNTIME_NAME = "bounded"
RUNTIME_PATH = Path("/usr/local/bin/runc-bounded")
PID_FILES = {
    Path("/var/run/docker.pid"): "dockerd",
    Path("/var/run/docker/containerd/containerd.pid"): "containerd",
}
SOCKETS = (Path("/run/containerd/containerd.sock"),)


def answers(timeout: float = INFO_SECONDS) -> bool:
    """Whether an engine answers the docker client (a client alone proves nothing)."""
    return _info("{{.ServerVersion}}", timeout) != ""


def _info(template: str, timeout: float = INFO_SECONDS) -> str:
    try:
        result = run(["docker", "info", "--format", template], timeout=timeout, check=False)
    except CommandFailed:
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""


def ensure(settings: Settings) -> None:
    """Returns when an engine that can run privileged containers answers, else raises Failure with the fix."""
    with step("Docker Engine") as current:
        if answers() and not _badly_set():
            current.done(f"already runs (version {_info('{{.ServerVersion}}')})")
            return
        if os.environ.get("DOCKER_HOST", "").startswith(("tcp://", "ssh://")):
            raise Failure(f"DOCKER_HOST is {os.environ['DOCKER_HOST']}, and nothing answers there")
        if os.geteuid() != 0:
            raise Failure(
                "no Docker Engine answers (`docker info`). Start it, or run this as root to have it started"
            )
        with locked(settings.cache, "engine"):
            _prepare(settings, current)
            _start(settings, current)
        current.done(f"runs (version {_info('{{.ServerVersion}}')})")


def _badly_set() -> bool:
    """True where capabilities are missing and an engine runs that does not know it."""
    return bool(runc_bounded.machine_lacks()) and _info("{{.DefaultRuntime}}") not in ("", RUNTIME_NAME)


def _prepare(settings: Settings, current: Step) -> None:
    lacking = runc_bounded.machine_lacks()
    if lacking and register_runtime(DAEMON_CONFIG, RUNTIME_PATH):
        current.note(f"no {', '.join(sorted(lacking))} on this machine: runtime '{RUNTIME_NAME}' registered")
    debian.install(
        settings.cache, current, {"dockerd": "docker.io", "docker": "docker.io", "iptables": "iptables"}
    )


def merged_config(existing: str, runtime: Path) -> str:
    """daemon.json with our runtime as the default; the rest stays as it was. Raises Failure on bad JSON."""
    try:
        config = json.loads(existing) if existing.strip() else {}
    except ValueError as error:
        raise Failure(f"{DAEMON_CONFIG} is not JSON ({error}); mend or remove it") from None
    runtimes = {**config.get("runtimes", {}), RUNTIME_NAME: {"path": str(runtime)}}
    return json.dumps({**config, "runtimes": runtimes, "default-runtime": RUNTIME_NAME}, indent=2) + "\n"


def wrapper_source() -> str:
    """runc_bounded.py under an interpreter that is there for good (never a virtual environment's)."""
    system = Path("/usr/bin/python3")
    return f"#!{system} -IS\n" + Path(runc_bounded.__file__).read_text()


def register_runtime(config: Path, runtime: Path) -> bool:
    """Installs the wrapper and names it in daemon.json; True when either file was not right already."""
    wanted = ((runtime, wrapper_source(), 0o755), (config, merged_config(_read(config), runtime), 0o644))
    wrong = [(path, text, mode) for path, text, mode in wanted if _read(path) != text]
    for path, text, mode in wrong:
        replace_file(path, text, mode)
    return bool(wrong)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def replace_file(path: Path, text: str, mode: int) -> None:
    """Writes a file in one go: readers see the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.chmod(mode)
    temporary.replace(path)


def _start(settings: Settings, current: Step) -> None:
    if _badly_set():
        current.note(f"the engine that runs does not use the runtime '{RUNTIME_NAME}': starting it anew")
        stop(current)
    if answers():
        return
    if Path("/run/systemd/system").is_dir():
        current.note("systemctl start docker")
        run(["systemctl", "start", "docker"], timeout=START_SECONDS)
        _wait(None, "journalctl -u docker")
        return
    _clear_leftovers(current)
    log = settings.cache.docker / "dockerd.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    current.note(f"starting dockerd (log: {log})")
    with log.open("ab") as sink:
        daemon = subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True, cwd="/"
        )
    _wait(daemon, str(log))


def _wait(daemon: subprocess.Popen[bytes] | None, log: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if answers(timeout=5):
            return
        if daemon is not None and daemon.poll() is not None:
            break
        time.sleep(0.3)
    end = tail(Path(log).read_text(errors="replace")) if Path(log).exists() else ""
    raise Failure(f"the Docker Engine did not start within {START_SECONDS:.0f} s; see {log}\n{end}")


def _clear_leftovers(current: Step) -> None:
    """Makes way for a new dockerd: one that hangs is ended, files that a dead one left are removed."""
    if (pid := _pid_of(Path("/var/run/docker.pid"), "dockerd")) is not None:
        current.note(f"dockerd (pid {pid}) is there but does not answer: waiting {STUCK_SECONDS:.0f} s")
        deadline = time.monotonic() + STUCK_SECONDS
        while time.monotonic() < deadline:
            if answers(timeout=5):
                raise Failure("the Docker Engine was only slow to answer; run the same command again")
            time.sleep(1)
        stop(current)
    for path, program in PID_FILES.items():
        if path.exists() and _pid_of(path, program) is None:
            current.note(f"removing {path}, left by a {program} that is gone")
            path.unlink()
    for path in SOCKETS:
        if path.exists() and not _listens(path):
            current.note(f"removing {path}: nobody listens there")
            path.unlink()


def is_alive(stat: str, program: str) -> bool:
    """Whether a /proc/PID/stat text is of a living process of that program (a zombie no longer is)."""
    name, _, rest = stat.partition("(")[2].rpartition(")")
    return name == program and rest.split()[:1] not in (["Z"], ["X"])


def _pid_of(path: Path, program: str) -> int | None:
    """The pid in the file if that process is (still, and really) the program."""
    try:
        pid = int(path.read_text())
        return pid if is_alive(Path(f"/proc/{pid}/stat").read_text(), program) else None
    except (OSError, ValueError):
        return None


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def stop(current: Step) -> None:
    """Ends the dockerd that the pid file names, first kindly."""
    path = Path("/var/run/docker.pid")
    for number, patience in ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0)):
        if (pid := _pid_of(path, "dockerd")) is None:
            return
        current.note(f"stopping dockerd (pid {pid})")
        os.kill(pid, number)
        deadline = time.monotonic() + patience
        while _pid_of(path, "dockerd") is not None and time.monotonic() < deadline:
            time.sleep(0.2)
    if (pid := _pid_of(path, "dockerd")) is not None:
        raise Failure(f"dockerd (pid {pid}) does not end; end it and try again")
