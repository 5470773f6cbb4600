"""The result of the last scheduled verification, as metrics: its Job does not live long enough to be scraped.

Reads `verification.runs`, the one table of another schema that this service may read.
"""

import math

import msgspec

from payments.common import metrics
from payments.common.background import Loop
from payments.common.db import Database

READ_SECONDS = 5.0
OK = metrics.gauge("payments_verification_ok", "1: the last verification found nothing wrong; 0: it did.")
LAST = metrics.gauge(
    "payments_verification_last_run_timestamp_seconds", "When the last verification ended, Unix time."
)
MISMATCHES = metrics.gauge(
    "payments_verification_mismatches", "What the last verification found wrong, by check.", ["check"]
)
_LAST_RUN = """
SELECT ok, extract(epoch FROM finished_at)::float8 AS at, wrong
FROM verification.runs ORDER BY id DESC LIMIT 1"""


class LastRun(Loop):
    """Keeps the metrics at what the table says; not a number before the first run."""

    def __init__(self, database: Database) -> None:
        super().__init__("result of the last verification", self._read, max_backoff=60.0)
        self._database = database
        OK.set(math.nan)
        LAST.set(math.nan)

    async def _read(self) -> float:
        row = await self._database.fetchrow(_LAST_RUN)
        if row is not None:
            OK.set(1 if row["ok"] else 0)
            LAST.set(row["at"])
            MISMATCHES.clear()
            for check, wrong in msgspec.json.decode(row["wrong"], type=dict[str, int]).items():
                MISMATCHES.labels(check).set(wrong)
        return READ_SECONDS
