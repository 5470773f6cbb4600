"""One JSON line an event on standard output, with the ids of the request, its trace and its payment."""

import logging
import sys
from datetime import UTC, datetime

import msgspec

from payments.common import context

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
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of each request


def mask(account: str) -> str:
    """An account number with all but its last four characters hidden."""
    return "*" * max(0, len(account) - 4) + account[-4:]
