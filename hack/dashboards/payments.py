"""Payments: what becomes of them, what waits, and whether the books are right."""

from __future__ import annotations

from hack.dashboards.panels import GREEN, ORANGE, RED, Dashboard, Row, alarm, lines, q, stat

_CONFIRM = (
    'http_server_request_duration_seconds_bucket{service="api-gateway",'
    ' http_route=~"/payment/confirm|/v1/payments/{id}/confirm"}'
)


def _quantile(part: float) -> str:
    return f"histogram_quantile({part}, sum by (le) (rate({_CONFIRM}[$__rate_interval])))"


GLANCE = Row(
    "At a glance",
    (
        stat(
            "Succeeded",
            "Payments that succeeded, a second.",
            "reqps",
            q('sum(rate(payments_outcomes_total{outcome="succeeded"}[$__rate_interval]))'),
        ),
        stat(
            "Stuck",
            "Payments whose outcome is not known for longer than STUCK_SECONDS. Each needs a person.",
            "short",
            q("max(payments_stuck)"),
            limits=alarm(1),
        ),
        stat(
            "Ledger",
            "Largest sum of all balances of one currency, in minor units. Anything but 0 is wrong.",
            "short",
            q("max(abs(payments_ledger_imbalance_minor_units))"),
            limits=alarm(1),
        ),
        stat(
            "Last verification",
            "1: the last proof over all books found nothing wrong. No value before the first run.",
            "short",
            q("min(payments_verification_ok)"),
            limits=((None, RED), (1, GREEN)),
        ),
        stat(
            "Errors, 1 h",
            "Part of the API's requests of the last hour that ended with a 5xx; the month's budget is 0.1 %.",
            "percentunit",
            q("payments:api_errors:ratio_rate1h"),
            limits=((None, GREEN), (0.001, ORANGE), (0.0144, RED)),
            decimals=3,
        ),
        stat(
            "Slow confirmations, 1 h",
            "Part of the last hour's confirmations that took over a second; the month's budget is 1 %.",
            "percentunit",
            q("payments:confirm_slow:ratio_rate1h"),
            limits=((None, GREEN), (0.01, ORANGE), (0.144, RED)),
            decimals=3,
        ),
    ),
)

OUTCOMES = Row(
    "Outcomes",
    (
        lines(
            "How attempts end",
            "Ends of attempts by outcome. succeeded, failed and canceled are final; requires_action waits for"
            " a one-time password, requires_review for an operator, unknown for the bank or the ledger.",
            "reqps",
            q("sum by (outcome) (rate(payments_outcomes_total[$__rate_interval]))", "{{outcome}}"),
            stacked=True,
        ),
        lines(
            "Why payments do not go through",
            "Ends that were no success, by the code that the customer is told.",
            "reqps",
            q(
                """sum by (code)
                (rate(payments_outcomes_total{code!="", outcome!="succeeded"}[$__rate_interval]))""",
                "{{code}}",
            ),
            stacked=True,
        ),
        lines(
            "Time of a confirmation",
            "Duration of confirmations at the gateway.",
            "s",
            q(_quantile(0.5), "p50"),
            q(_quantile(0.95), "p95"),
            q(_quantile(0.99), "p99"),
            limits=((None, GREEN), (1, RED)),
        ),
        lines(
            "Succeeded by risk and way",
            "Payments that succeeded, by level of risk and whether they stayed on the platform (on_us).",
            "reqps",
            q(
                """sum by (risk_level, transfer)
                (rate(payments_outcomes_total{outcome="succeeded"}[$__rate_interval]))""",
                "{{risk_level}} {{transfer}}",
            ),
        ),
        lines(
            "Money moved",
            "Amounts that succeeded, a second, in units of each currency.",
            "short",
            q(
                "sum by (kind, currency) (rate(payments_moved_amount_sum[$__rate_interval]))",
                "{{kind}} {{currency}}",
            ),
        ),
        lines(
            "Median amount",
            "Median amount of the payments that succeeded, in units of each currency.",
            "short",
            q(
                """histogram_quantile(0.5, sum by (currency, le)
                (rate(payments_moved_amount_bucket{kind="payment"}[$__rate_interval])))""",
                "{{currency}}",
            ),
        ),
        lines(
            "Created",
            "Payments created, by currency.",
            "reqps",
            q("sum by (currency) (rate(payments_created_total[$__rate_interval]))", "{{currency}}"),
        ),
        lines(
            "Refunds",
            "Refunds that ended, by outcome, and those whose outcome is not known yet.",
            "short",
            q("sum by (outcome) (rate(payments_refunds_total[$__rate_interval]))", "{{outcome}} a second"),
            q("max(payments_refunds_pending)", "pending"),
        ),
        lines(
            "Left to the janitor",
            "Payments that a crash, a lost answer or a silent bank has left, by the answer of each check.",
            "reqps",
            q("sum by (answer) (rate(payments_janitor_checks_total[$__rate_interval]))", "{{answer}}"),
        ),
    ),
)

CHECKS = Row(
    "Checks",
    (
        lines(
            "Risk",
            "Assessments by level and decision.",
            "reqps",
            q(
                "sum by (level, decision) (rate(payments_risk_assessments_total[$__rate_interval]))",
                "{{level}} {{decision}}",
            ),
            stacked=True,
        ),
        lines(
            "Screenings",
            "Screenings against the sanctions list that were not answered from a cache, by decision.",
            "reqps",
            q(
                "sum by (decision, occasion) (rate(payments_sanctions_screenings_total[$__rate_interval]))",
                "{{decision}} {{occasion}}",
            ),
        ),
        lines(
            "One-time passwords tried",
            "Tries by outcome. Many that are invalid: somebody guesses.",
            "reqps",
            q("sum by (outcome) (rate(payments_otp_tries_total[$__rate_interval]))", "{{outcome}}"),
        ),
        lines(
            "One-time passwords sent",
            "What came of asking for a one-time password; not_sent and limited cost payments.",
            "reqps",
            q("sum by (outcome) (rate(payments_otp_sends_total[$__rate_interval]))", "{{outcome}}"),
        ),
        stat(
            "Age of the sanctions list",
            "Since the source last confirmed the list in force.",
            "s",
            q("max(payments_sanctions_list_age_seconds)"),
            width=4,
        ),
        stat(
            "Names on the list",
            "Entries of the sanctions list in force.",
            "short",
            q("max(payments_sanctions_list_entries)"),
            limits=((None, RED), (1, GREEN)),
        ),
        stat(
            "List stale",
            "1: the list is missing or older than sanctions.staleAfterDays.",
            "short",
            q("max(payments_sanctions_list_stale)"),
            limits=alarm(1),
        ),
        stat(
            "Refreshes failed, 24 h",
            "Times of the last day that the list's source did not answer well.",
            "short",
            q('sum(increase(payments_sanctions_refreshes_total{outcome="failed"}[1d]))'),
            limits=((None, GREEN), (3, ORANGE)),
            decimals=0,
        ),
    ),
)

WAITING = Row(
    "What waits",
    (
        lines(
            "Open payments",
            "Payments that wait: for the services (processing) or for an operator (requires_review).",
            "short",
            q("max by (status) (payments_open)", "{{status}}"),
        ),
        lines(
            "Oldest",
            "Age of the oldest payment of unknown outcome, and of the oldest that waits for its review.",
            "s",
            q("max(payments_unknown_outcome_oldest_age_seconds)", "unknown outcome"),
            q("max(payments_review_oldest_age_seconds)", "under review"),
        ),
        lines(
            "Holds",
            "Holds that are neither posted nor voided, by currency.",
            "short",
            q("max by (currency) (payments_holds_open)", "{{currency}}"),
        ),
        lines(
            "Held",
            "What open holds keep from being spent, in minor units of each currency.",
            "short",
            q("max by (currency) (payments_holds_open_minor_units)", "{{currency}}"),
        ),
        lines(
            "Overdue hold",
            "Since when the oldest hold should have ended.",
            "s",
            q("max(payments_holds_overdue_age_seconds)", "overdue"),
            limits=((None, GREEN), (3600, RED)),
        ),
        lines(
            "Late webhooks",
            "Webhooks that should have been sent by now, and how late the latest is (seconds).",
            "short",
            q("max(payments_webhook_deliveries_due)", "due"),
            q("max(payments_webhook_oldest_due_age_seconds)", "oldest, seconds"),
        ),
    ),
)

BOOKS = Row(
    "Books",
    (
        lines(
            "Balance of the ledger",
            "Sum of all balances by currency, in minor units: 0, always.",
            "short",
            q("max by (currency) (payments_ledger_imbalance_minor_units)", "{{currency}}"),
        ),
        lines(
            "The bank's book",
            "Postings that differ from the partner bank's own book.",
            "short",
            q("max(payments_bank_differences)", "different"),
            limits=alarm(1),
        ),
        lines(
            "Verification",
            "What the last verification found wrong, by check; 0 is well.",
            "short",
            q("max by (check) (payments_verification_mismatches)", "{{check}}"),
        ),
        stat(
            "Verified",
            "Since the last verification ended.",
            "s",
            q("time() - max(payments_verification_last_run_timestamp_seconds)"),
            width=8,
        ),
    ),
)

TOLD = Row(
    "Who is told",
    (
        lines(
            "Webhooks",
            "Attempts by outcome: delivered, retry (tried again later), gone and failed (given up).",
            "reqps",
            q("sum by (outcome) (rate(payments_webhook_attempts_total[$__rate_interval]))", "{{outcome}}"),
        ),
        lines(
            "Merchants' servers",
            "How long attempts take, and how many are under way.",
            "s",
            q(
                """histogram_quantile(0.95,
                sum by (le) (rate(payments_webhook_attempt_seconds_bucket[$__rate_interval])))""",
                "p95",
            ),
        ),
        lines(
            "Webhooks under way",
            "Deliveries that are being sent now, and endpoints that were switched off, by reason.",
            "short",
            q("sum(payments_webhook_deliveries_in_flight)", "in flight"),
            q("max by (reason) (payments_webhook_endpoints_disabled)", "disabled: {{reason}}"),
        ),
        lines(
            "Messages to customers",
            "Attempts to deliver by channel and outcome.",
            "reqps",
            q(
                "sum by (channel, outcome) (rate(payments_notifications_total[$__rate_interval]))",
                "{{channel}} {{outcome}}",
            ),
        ),
        lines(
            "Audit trail to copy",
            "Entries of the audit trail that a copy does not have yet; no value while it is off.",
            "short",
            q("max(payments_audit_search_backlog)", "search"),
            q("max(payments_audit_influxdb_backlog)", "InfluxDB"),
        ),
    ),
)

PAYMENTS = Dashboard(
    "payments",
    "Payments",
    "What becomes of payments, what waits, and whether the books are right.",
    (GLANCE, OUTCOMES, CHECKS, WAITING, BOOKS, TOLD),
)
