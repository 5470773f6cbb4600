import json
import stat
from pathlib import Path

import pytest

from hack.kind import engine
from hack.kind.proc import Failure


def test_runtime_is_added_to_what_the_user_configured() -> None:
    existing = json.dumps({"log-driver": "local", "runtimes": {"kata": {"path": "/usr/bin/kata"}}})
    merged = json.loads(engine.merged_config(existing, Path("/usr/local/bin/runc-bounded")))
    assert merged["log-driver"] == "local"
    assert merged["runtimes"]["kata"] == {"path": "/usr/bin/kata"}
    assert merged["runtimes"]["bounded"] == {"path": "/usr/local/bin/runc-bounded"}
    assert merged["default-runtime"] == "bounded"


def test_broken_daemon_config_is_named() -> None:
    with pytest.raises(Failure, match=r"daemon\.json"):
        engine.merged_config("{", Path("/x"))


def test_registering_is_repeatable(tmp_path: Path) -> None:
    config, runtime = tmp_path / "etc" / "daemon.json", tmp_path / "bin" / "runc-bounded"
    assert engine.register_runtime(config, runtime)
    first = (config.stat().st_mtime_ns, runtime.stat().st_mtime_ns)
    assert not engine.register_runtime(config, runtime)
    assert (config.stat().st_mtime_ns, runtime.stat().st_mtime_ns) == first
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o755
    assert json.loads(config.read_text())["runtimes"]["bounded"]["path"] == str(runtime)


def test_wrapper_is_a_program_of_its_own() -> None:
    source = engine.wrapper_source()
    assert source.startswith("#!/usr/bin/python3 -IS\n")
    assert "hack." not in source
    compile(source, "runc-bounded", "exec")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8401 (dockerd) S 1 8401", True),
        ("8401 (dockerd) Z 1 8401", False),  # killed, and nobody has asked for its exit code yet
        ("8401 (bash) S 1 8401", False),  # the pid belongs to another program by now
        ("8401 (odd) name) S 1", False),
        ("", False),
    ],
)
def test_stale_pid_files_are_told_from_living_daemons(text: str, expected: bool) -> None:
    assert engine.is_alive(text, "dockerd") is expected
