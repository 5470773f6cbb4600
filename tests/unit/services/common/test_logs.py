"""The level of the logs from a file that changes as a ConfigMap's does."""

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from payments.common import logs


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """The root logger, put back afterwards."""
    logger = logging.getLogger()
    level, handlers = logger.level, list(logger.handlers)
    quiet = {name: logging.getLogger(name).level for name in ("aiokafka", "httpx", "httpcore")}
    logger.setLevel("INFO")
    yield logger
    logger.setLevel(level)
    logger.handlers[:] = handlers
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)


class Mounted:
    """A ConfigMap's volume with one key, written as the kubelet does: a new folder, then a renamed link."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self.path = folder / "kyc-service"
        self.path.symlink_to("..data/kyc-service")

    def write(self, text: str) -> None:
        """Replace the content."""
        self._count += 1
        version = self._folder / f"..version-{self._count}"
        version.mkdir()
        (version / "kyc-service").write_text(text)
        (self._folder / "..new").symlink_to(version.name)
        os.rename(self._folder / "..new", self._folder / "..data")


@pytest.fixture
def mounted(tmp_path: Path) -> Mounted:
    return Mounted(tmp_path)


def test_a_changed_level_counts_from_the_next_look_on(mounted: Mounted, root: logging.Logger) -> None:
    mounted.write("WARNING")
    file = logs.LevelFile(mounted.path)
    file.look()
    assert root.level == logging.WARNING
    for level in ("DEBUG", "ERROR", "INFO"):
        mounted.write(f"{level}\n")
        file.look()
        assert logging.getLevelName(root.level) == level


@pytest.mark.parametrize("wrong", ["VERBOSE", "debug", "", "10", "INFO WARNING", "\ufffd" * 500])
def test_what_is_no_level_changes_nothing_and_is_told_once(
    mounted: Mounted, root: logging.Logger, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    mounted.write("WARNING")
    file = logs.LevelFile(mounted.path)
    file.look()
    caplog.clear()
    mounted.write(wrong)
    for _ in range(3):
        file.look()
    assert root.level == logging.WARNING
    (told,) = caplog.records
    assert told.levelno == logging.WARNING and "stays WARNING" in told.message
    assert len(vars(told)["found"]) <= 20
    mounted.write("DEBUG")
    file.look()
    assert root.level == logging.DEBUG


def test_a_missing_file_is_told_once_and_found_when_it_comes(
    mounted: Mounted, root: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    file = logs.LevelFile(mounted.path)
    for _ in range(3):
        file.look()
    assert root.level == logging.INFO
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    mounted.write("ERROR")
    file.look()
    assert root.level == logging.ERROR


def test_a_file_that_did_not_change_is_not_read(mounted: Mounted, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted.write("INFO")
    file = logs.LevelFile(mounted.path)
    file.look()

    def refuse(*_: object, **__: object) -> str:
        raise AssertionError("read again")

    monkeypatch.setattr(Path, "read_text", refuse)
    file.look()


@pytest.mark.parametrize(("before", "after"), [("INFO", "ERROR"), ("ERROR", "DEBUG"), ("INFO", "DEBUG")])
def test_a_change_is_told_in_the_logs_themselves(
    mounted: Mounted, capsys: pytest.CaptureFixture[str], before: str, after: str
) -> None:
    logs.configure("kyc-service", before)
    mounted.write(after)
    logs.LevelFile(mounted.path).look()
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["message"] == f"log level {after} instead of {before}"


def test_others_stay_quiet_at_debug() -> None:
    logs.configure("kyc-service", "DEBUG")
    quiet = {"aiokafka": logging.ERROR, "httpx": logging.WARNING, "httpcore": logging.WARNING}
    assert {name: logging.getLogger(name).getEffectiveLevel() for name in quiet} == quiet
