"""The level of the operator's own logs, from a mounted file that may change while it runs."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final, get_args

from payment_operator.spec_types import LogLevel

logger = logging.getLogger(__name__)
LEVELS: Final[tuple[str, ...]] = get_args(LogLevel)
LOOK_SECONDS = 10.0


class LevelFile:
    """The level of the root logger. A file that is not there or names no level leaves it as it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = ""

    def look(self) -> None:
        """Apply what the file says if it says something else than at the last look. Never raises."""
        try:
            text = self._path.read_text(errors="replace").strip()
        except OSError:
            return
        if text == self._last:
            return
        self._last = text
        root = logging.getLogger()
        if text in LEVELS:
            root.setLevel(text)
            logger.info("log level %s", text)
        else:
            level = logging.getLevelName(root.level)
            logger.warning(
                "%s names no level, which stays %s: write %s", self._path, level, ", ".join(LEVELS)
            )

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)
