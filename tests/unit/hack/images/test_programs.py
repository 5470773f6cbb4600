"""Programs from Go modules: what makes them new, where they go in an image; the HTTP helper of the checks."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from hack.images import flux, programs
from hack.images.check import HELPERS
from hack.kind import tools
from hack.kind.proc import Failure
from hack.kind.settings import Cache


def test_a_program_that_is_there_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path)
    built = tmp_path / "new"
    built.write_text("binary")
    tools.install(cache, programs.program(cache, "jaeger"), built, "test")
    monkeypatch.setenv("PATH", str(tmp_path))  # no Go: building would fail
    wanted = {"jaeger": "cmd/jaeger/jaeger-linux"}
    assert programs.ensure(cache, wanted) == {"cmd/jaeger/jaeger-linux": cache.bin / "jaeger"}


def test_without_programs_nothing_is_done(tmp_path: Path) -> None:
    assert programs.ensure(Cache(tmp_path), {}) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"version": "v9"},
        {"module": "example.org/other"},
        {"tags": "x"},
        {"environment": (("CGO_ENABLED", "1"),)},
        {"ldflags": ""},
    ],
)
def test_another_pin_or_flag_makes_it_new(tmp_path: Path, change: dict[str, Any]) -> None:
    tool = programs.program(Cache(tmp_path), "jaeger")
    assert tools.inputs_hash(replace(tool, **change)) != tools.inputs_hash(tool)


def test_the_pinned_versions_are_told_by_the_programs(tmp_path: Path) -> None:
    for name, said in (("jaeger", programs.JAEGER_RELEASE), ("influxd", programs.INFLUXDB)):
        assert programs.program(Cache(tmp_path), name).ldflags.endswith(f"ersion={said}")


def test_influxdb_without_rust_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failure, match="cargo"):
        programs.ensure(Cache(tmp_path), {"influxd": "usr/local/bin/influxd"})


def test_warnings_of_newer_compilers_do_not_stop_flux(tmp_path: Path) -> None:
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(flux.WRAPPER)
    said = subprocess.run(["sh", wrapper, "echo", "a b", "-c"], capture_output=True, text=True, timeout=10)
    assert said.stdout == "a b -c --cap-lints warn\n"


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent; /missing is not there."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(404 if self.path == "/missing" else 200)
        self.end_headers()
        self.wfile.write(f"{self.path} {self.headers['X-Name']}\n".encode() + body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def serving() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def bash(script: str) -> subprocess.CompletedProcess[str]:
    text = HELPERS.read_text() + script
    return subprocess.run(["bash", "-eu"], input=text, capture_output=True, text=True, timeout=30)


def test_the_checks_can_ask_by_http() -> None:
    with serving() as port:
        good = bash(f"http POST {port} /path $'one\\ntwo' 'X-Name: me'\n")
        bad = bash(f"http POST {port} /missing body 'X-Name: me'\n")
    assert (good.returncode, good.stdout) == (0, "/path me\none\ntwo")
    assert bad.returncode == 1
    closed = bash(f"http POST {port} /path\n")
    assert closed.returncode == 1


def test_the_checks_wait_and_show_the_last_answer_in_vain() -> None:
    assert bash("await 5 two printf 'one two'\n").returncode == 0
    vain = bash("await 0 three printf 'one two'\n")
    assert (vain.returncode, vain.stderr) == (1, "one two")
