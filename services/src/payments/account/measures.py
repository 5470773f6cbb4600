"""Gauges of the ledger: what is held, what is overdue, and that it balances."""

from payments.common import metrics
from payments.common.db import Database
from payments.common.sampling import Sample

HOLDS = metrics.gauge("payments_holds_open", "Holds that are neither posted nor voided.", ["currency"])
HELD = metrics.gauge(
    "payments_holds_open_minor_units", "What open holds keep from being spent, fees included.", ["currency"]
)
OVERDUE = metrics.gauge(
    "payments_holds_overdue_age_seconds", "Since the oldest open hold should have ended; 0 for none."
)
IMBALANCE = metrics.gauge(
    "payments_ledger_imbalance_minor_units",
    "Sum of the balances of all accounts: 0, since each transfer takes as much as it gives.",
    ["currency"],
)
DIFFERENCES = metrics.gauge(
    "payments_bank_differences", "Postings that differ from the partner bank's own book."
)

# One snapshot for all of it. Balances, not entries: there are as many as accounts, however long the history.
_LEDGER = """
SELECT 'sum' AS what, currency, sum(posted_minor)::bigint AS minor, 0::bigint AS count, 0::float8 AS age
FROM accounts.balances GROUP BY currency
UNION ALL
SELECT 'held', currency, sum(amount_minor + fee_minor)::bigint, count(*),
       coalesce(extract(epoch FROM now() - min(expires_at)), 0)
FROM accounts.holds WHERE status = 'held' GROUP BY currency
UNION ALL
SELECT 'different', NULL, 0,
       (SELECT count(*) FROM accounts.holds
        WHERE status = 'posted' AND (checked_at IS NULL OR difference IS NOT NULL) AND difference IS NOT NULL)
       + (SELECT count(*) FROM accounts.returns WHERE difference IS NOT NULL), 0"""


def ledger(database: Database) -> Sample:
    """The gauges of this module."""

    known: set[str] = set()

    async def take() -> None:
        overdue, held = 0.0, set()
        for row in await database.fetch(_LEDGER):
            currency = row["currency"]
            match row["what"]:
                case "sum":
                    IMBALANCE.labels(currency).set(row["minor"])
                    known.add(currency)
                case "held":
                    HOLDS.labels(currency).set(row["count"])
                    HELD.labels(currency).set(row["minor"])
                    overdue = max(overdue, row["age"])
                    held.add(currency)
                case _:
                    DIFFERENCES.set(row["count"])
        OVERDUE.set(overdue)
        for currency in known - held:  # where nothing is held it is 0, not unknown
            HOLDS.labels(currency).set(0)
            HELD.labels(currency).set(0)

    return Sample("ledger", take)
