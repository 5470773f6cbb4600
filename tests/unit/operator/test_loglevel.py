"""The level of the operator's logs from a file."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from payment_operator.loglevel import LevelFile


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger at INFO, put back afterwards."""
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel("INFO")
    yield logger
    logger.setLevel(before)


def test_it_follows_the_file(tmp_path: Path, root: logging.Logger) -> None:
    file = LevelFile(tmp_path / "level")
    file.look()
    assert root.level == logging.INFO
    for level in ("DEBUG", "ERROR", "WARNING", "INFO"):
        (tmp_path / "level").write_text(f"{level}\n")
        file.look()
        assert logging.getLevelName(root.level) == level


def test_what_is_no_level_is_told_once(
    tmp_path: Path, root: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "level").write_text("LOUD")
    file = LevelFile(tmp_path / "level")
    for _ in range(3):
        file.look()
    assert root.level == logging.INFO
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    (tmp_path / "level").write_text("DEBUG")
    file.look()
    assert root.level == logging.DEBUG
