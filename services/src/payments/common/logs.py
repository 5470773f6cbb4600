"""One JSON line an event on standard output, with the ids of the request, its trace and its payment."""

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from payments.common import context

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LEVELS: Final[tuple[str, ...]] = get_args(Level)
_LONGEST = 20  # characters of a file that are told when they name no level
_MISSING = (0, 0, 0)

log = logging.getLogger(__name__)

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Renders a record with its `extra` fields; account numbers must be masked by the caller."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := context.request_id.get():
            line["request_id"] = request_id
        if traceparent := context.traceparent.get():
            line |= {"trace_id": traceparent[3:35], "span_id": traceparent[36:52]}
        if payment_id := context.payment_id.get():
            line["payment_id"] = payment_id
        line.update((key, value) for key, value in vars(record).items() if key not in _STANDARD)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure(service: str, level: str) -> None:
    """Send every logger of the process through the JSON formatter."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    for chatty in ("httpx", "httpcore"):  # they tell of each request, the latter with headers
        logging.getLogger(chatty).setLevel(logging.WARNING)


class LevelFile:
    """The level of the root logger, from a file that may change while the process runs.

    A ConfigMap changes by another folder behind a symbolic link: the file behind all links counts.
    One that is missing or names no level leaves the level as it is, and is told once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, ...] = ()

    def look(self) -> None:
        """Apply the file's level if the file is another one than at the last look. Cheap; never raises."""
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
            if stamp == self._stamp:
                return
            text = self._path.read_text(errors="replace").strip()
        except OSError as error:
            stamp, text = _MISSING, type(error).__name__
            if stamp == self._stamp:
                return
        self._stamp = stamp
        if text in LEVELS:
            _set(text)
            return
        log.warning(
            "%s names no level, which stays %s: write %s",
            self._path,
            logging.getLevelName(logging.getLogger().level),
            ", ".join(LEVELS),
            extra={"found": text[:_LONGEST]},
        )


def _set(level: str) -> None:
    root = logging.getLogger()
    before = logging.getLevelName(root.level)
    if before == level:
        return
    # Told by whichever of the two levels lets it through.
    told = log.isEnabledFor(logging.INFO)
    if told:
        log.info("log level %s instead of %s", level, before)
    root.setLevel(level)
    if not told:
        log.info("log level %s instead of %s", level, before)


def mask(account: str) -> str:
    """An account number with all but its last four characters hidden."""
    return "*" * max(0, len(account) - 4) + account[-4:]
