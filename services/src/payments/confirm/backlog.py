"""Gauges of what waits: payments for an operator or an outcome, refunds, webhooks."""

from payments.common import metrics
from payments.common.db import Database
from payments.common.sampling import Sample

#: A backlog beyond this is told as this, so that looking at it stays cheap.
COUNTED = 100_000
OPEN = metrics.gauge("payments_open", "Payments that somebody has to go on with, by state.", ["status"])
REVIEW = metrics.gauge(
    "payments_review_oldest_age_seconds", "Since when the oldest payment under review exists; 0 for none."
)
REFUNDS = metrics.gauge("payments_refunds_pending", "Refunds whose outcome is not known yet.")
DUE = metrics.gauge(
    "payments_webhook_deliveries_due", f"Webhooks that should have been sent by now, {COUNTED} at the most."
)
DUE_AGE = metrics.gauge(
    "payments_webhook_oldest_due_age_seconds", "How late the latest webhook is; 0 for none."
)
DISABLED = metrics.gauge(
    "payments_webhook_endpoints_disabled", "Webhook endpoints that were switched off, by reason.", ["reason"]
)
_REASONS = ("customer", "gone", "failing")

# Each part is answered by a partial index that holds nothing else.
_BACKLOG = f"""
SELECT (SELECT count(*) FROM payments.payments WHERE status = 'processing') AS processing,
       (SELECT count(*) FROM payments.payments WHERE status = 'requires_review') AS review,
       coalesce(extract(epoch FROM now() - (
           SELECT min(created_at) FROM payments.payments WHERE status = 'requires_review')), 0)::float8
           AS review_age,
       (SELECT count(*) FROM payments.refunds WHERE status = 'pending') AS refunds,
       due.waiting AS due, coalesce(extract(epoch FROM due.age), 0)::float8 AS due_age,
       disabled.customer, disabled.gone, disabled.failing
FROM (SELECT count(*) AS waiting, now() - min(next_attempt_at) AS age
      FROM (SELECT next_attempt_at FROM payments.webhook_deliveries
            WHERE status = 'pending' AND next_attempt_at <= now() LIMIT {COUNTED}) AS counted) AS due,
     (SELECT count(*) FILTER (WHERE disabled_reason = 'customer') AS customer,
             count(*) FILTER (WHERE disabled_reason = 'gone') AS gone,
             count(*) FILTER (WHERE disabled_reason = 'failing') AS failing
      FROM payments.webhook_endpoints WHERE status = 'disabled') AS disabled"""  # noqa: S608


def backlog(database: Database) -> Sample:
    """The gauges of this module."""

    async def take() -> None:
        row = await database.fetchrow(_BACKLOG)
        assert row is not None
        OPEN.labels("processing").set(row["processing"])
        OPEN.labels("requires_review").set(row["review"])
        REVIEW.set(row["review_age"])
        REFUNDS.set(row["refunds"])
        DUE.set(row["due"])
        DUE_AGE.set(row["due_age"])
        for reason in _REASONS:
            DISABLED.labels(reason).set(row[reason])

    return Sample("backlog", take)
