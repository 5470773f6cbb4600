"""For each alert: series under which it fires, and series, as near as they can be, under which it must not.

Values are in promtool's notation (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules),
one a minute: `a+bxn` is a and n further ones, each b more; `_` is no sample.
"""

from dataclasses import dataclass

Series = dict[str, str]

_COUNT = (
    'http_server_request_duration_seconds_count{service="api-gateway",http_request_method="POST",'
    'http_route="%s",http_response_status_code="%s"}'
)
_BUCKET = (
    'http_server_request_duration_seconds_bucket{service="api-gateway",http_request_method="POST",'
    'http_route="/v1/payments/{id}/confirm",http_response_status_code="200",le="1.0"}'
)
_CONFIRM = _COUNT % ("/v1/payments/{id}/confirm", "200")
_CONDITION = (
    'payment_operator_platform_condition{platform_namespace="shop",platform="p",condition="%s",status="%s"}'
)
_REFRESHES = 'payments_sanctions_refreshes_total{outcome="%s"}'
_SAMPLE = 'payments_sample_timestamp_seconds{service="s",sample="outbox",instance="%s:1"}'
_SET = '{platform_namespace="shop",platform="p",key_set="signing-keys"}'


@dataclass(frozen=True)
class Case:
    """One moment. `firing`: how many alerts of the name fire then."""

    alert: str
    series: Series
    at: str
    firing: int
    why: str = ""


def _pair(alert: str, at: str, fires: Series, quiet: Series, why: str = "", firing: int = 1) -> list[Case]:
    return [Case(alert, fires, at, firing), Case(alert, quiet, at, 0, why)]


def _gauge(alert: str, series: str, fires: float, quiet: float, at: str) -> list[Case]:
    """A threshold: at `fires` for an hour, and at `quiet`, which is not beyond it."""
    return _pair(alert, at, {series: f"{fires}x60"}, {series: f"{quiet}x60"}, "not beyond the limit")


def _api(bad: float, good: float) -> Series:
    route = "/v1/payments/{id}/confirm"
    return {_COUNT % (route, "503"): f"0+{bad}x600", _COUNT % (route, "200"): f"0+{good}x600"}


def _slow(total: float, fast: float) -> Series:
    return {_CONFIRM: f"0+{total}x600", _BUCKET: f"0+{fast}x600"}


_ARCHIVED = 'pg_stat_archiver_archived_count{instance="postgres-exporter:9187"}'
_FAILED = 'pg_stat_archiver_failed_count{instance="postgres-exporter:9187"}'
_ARCHIVE_AGE = 'pg_stat_archiver_last_archive_age{instance="postgres-exporter:9187"}'
_ARCHIVES = 'pg_settings_archive_timeout_seconds{instance="postgres-exporter:9187"}'

MONEY = [
    *_gauge("PaymentStuck", "payments_stuck", 1, 0, "5m"),
    Case("PaymentStuck", {"payments_stuck": "0 1 0x60"}, "5m", 0, "was settled at once"),
    Case(
        "PaymentStuck",
        {f'payments_stuck{{instance="{i}"}}': "2x60" for i in "ab"},
        "5m",
        1,
        "two replicas tell the same",
    ),
    *_gauge("PaymentOutcomeUnknown", "payments_unknown_outcome_oldest_age_seconds", 121, 120, "5m"),
    *_gauge("LedgerUnbalanced", 'payments_ledger_imbalance_minor_units{currency="USD"}', -1, 0, "5m"),
    Case(
        "LedgerUnbalanced",
        {
            'payments_ledger_imbalance_minor_units{currency="USD"}': "5x60",
            'payments_ledger_imbalance_minor_units{currency="JPY"}': "-5x60",
        },
        "5m",
        2,
        "one currency never makes up for another",
    ),
    *_gauge("VerificationFailed", "payments_verification_ok", 0, 1, "5m"),
    Case(
        "VerificationFailed",
        {"payments_verification_ok": " ".join(["NaN"] * 20)},
        "5m",
        0,
        "none has run yet",
    ),
    *_gauge("BankBookDiffers", "payments_bank_differences", 1, 0, "10m"),
    *_gauge("HoldOverdue", "payments_holds_overdue_age_seconds", 3601, 3600, "10m"),
    *_gauge("ReviewsWaiting", "payments_review_oldest_age_seconds", 14401, 14400, "10m"),
    *_gauge("SanctionsListStale", "payments_sanctions_list_stale", 1, 0, "10m"),
    *_pair(
        "SanctionsRefreshFailing",
        "150m",
        {_REFRESHES % "failed": "0+0.2x180", _REFRESHES % "loaded": "1x180"},
        {_REFRESHES % "failed": "0+0.2x180", _REFRESHES % "loaded": "1x100 2x80"},
        "it was loaded in between",
    ),
]

OBJECTIVES = [
    *_pair("ErrorBudgetBurnFast", "70m", _api(2, 98), _api(0.5, 99.5), "below 14.4 and 6 times"),
    Case(
        "ErrorBudgetBurnFast",
        {**_api(0, 100), _COUNT % ("/v1/accounts", "500"): "0+5x60 300x60"},
        "100m",
        0,
        "it has ended: the short windows say so",
    ),
    Case(
        "ErrorBudgetBurnFast",
        {
            _COUNT % ("/ready", "503"): "0+50x600",
            _COUNT % ("/v1/accounts", "200"): "0+50x600",
        },
        "70m",
        0,
        "probes are not the customers' requests",
    ),
    Case("ErrorBudgetBurnFast", _api(0, 0), "70m", 0, "nobody asks for anything"),
    *_pair("ErrorBudgetBurnSlow", "3h", _api(0.4, 99.6), _api(0.05, 99.95), "within the budget"),
    *_pair("LatencyBudgetBurnFast", "70m", _slow(100, 80), _slow(100, 95), "below 14.4 and 6 times"),
    *_pair("LatencyBudgetBurnSlow", "3h", _slow(100, 96), _slow(100, 99.5), "within the budget"),
]

SERVICES = [
    *_gauge("TargetDown", 'up{job="payment-services",service="otp-service",instance="a:1"}', 0, 1, "5m"),
    Case("TargetDown", {'up{job="infrastructure",instance="a:1"}': "1 0 1x60"}, "5m", 0, "one scrape"),
    *_gauge("DependencyDown", 'pg_up{instance="a:1"}', 0, 1, "5m"),
    *_gauge("DependencyDown", 'redis_up{instance="a:1"}', 0, 1, "5m"),
    *_pair(
        "LogArchiveBehind",
        "20m",
        {_ARCHIVE_AGE: "0+60x60", _ARCHIVES: "900x60"},
        {_ARCHIVE_AGE: "0+60x60", _ARCHIVES: "0x60"},
        "nothing is to be archived",
    ),
    Case("LogArchiveBehind", {_ARCHIVE_AGE: "60x60", _ARCHIVES: "900x60"}, "20m", 0, "a minute behind"),
    *_pair(
        "LogArchiveBehind",
        "20m",
        {_FAILED: "0+1x60", _ARCHIVED: "7x60", _ARCHIVES: "900x60"},
        {_FAILED: "0+1x60", _ARCHIVED: "0+1x60", _ARCHIVES: "900x60"},
        "tried again, with success",
    ),
    *_gauge(
        "CircuitOpen", 'payments_circuit_state{service="confirm-service",peer="risk-service"}', 2, 1, "5m"
    ),
    *_gauge("OutboxLag", 'payments_outbox_oldest_age_seconds{owner="otp"}', 61, 60, "5m"),
    *_gauge("OutboxStopped", 'payments_outbox_oldest_age_seconds{owner="otp"}', 901, 900, "5m"),
    *_gauge("ConsumerLag", 'payments_consumer_lag_messages{topic="t",group="g"}', 501, 500, "10m"),
    Case(
        "ConsumerLag",
        {'payments_consumer_lag_messages{topic="t",group="g"}': "0 9000 5000 0x60"},
        "10m",
        0,
        "it drains",
    ),
    *_pair(
        "DeadLetters",
        "20m",
        {'payments_dead_letters_total{topic="t"}': "0x10 1x50"},
        {'payments_dead_letters_total{topic="t"}': "7x60"},
        "nothing new",
    ),
    *_gauge("WebhooksLate", "payments_webhook_oldest_due_age_seconds", 901, 900, "10m"),
    *_pair(
        "DatabasePoolExhausted",
        "10m",
        {
            'db_client_connection_count{service="s",instance="a:1",state="used"}': "5x60",
            'db_client_connection_max{service="s",instance="a:1"}': "5x60",
        },
        {
            'db_client_connection_count{service="s",instance="a:1",state="used"}': "4x60",
            'db_client_connection_max{service="s",instance="a:1"}': "5x60",
            'db_client_connection_count{service="s",instance="b:1",state="idle"}': "5x60",
            'db_client_connection_max{service="s",instance="b:1"}': "5x60",
        },
        "one is free; idle ones are not used",
    ),
    *_pair(
        "SamplesStale",
        "10m",
        {_SAMPLE % "a": "0 60 120 120x60"},
        {
            _SAMPLE % "a": "0 60 120 120x60",
            _SAMPLE % "b": "0+60x60",
        },
        "another replica tells it",
    ),
    *_gauge("AuditSearchBacklog", "payments_audit_search_backlog", 1001, 1000, "15m"),
    Case(
        "AuditSearchBacklog",
        {"payments_audit_search_backlog": " ".join(["NaN"] * 20)},
        "15m",
        0,
        "switched off",
    ),
    *_gauge("AuditPointsBacklog", "payments_audit_influxdb_backlog", 1001, 1000, "15m"),
]

OPERATOR = [
    *_gauge("OperatorNotLeading", 'payment_operator_leader{instance="a:1"}', 0, 1, "5m"),
    Case(
        "OperatorNotLeading",
        {
            'payment_operator_leader{instance="a:1"}': "0x60",
            'payment_operator_leader{instance="b:1"}': "1x60",
        },
        "5m",
        0,
        "the other one leads",
    ),
    *_pair(
        "OperatorStalled",
        "20m",
        {"payment_operator_last_resync_timestamp_seconds": "60x60", "payment_operator_leader": "1x60"},
        {"payment_operator_last_resync_timestamp_seconds": "60x60", "payment_operator_leader": "0x60"},
        "it stands by",
    ),
    *_pair(
        "OperatorStalled",
        "30m",
        {
            "payment_operator_last_resync_timestamp_seconds": "0+60x60",
            "payment_operator_last_reconcile_timestamp_seconds": "60x60",
            "payment_operator_platforms": "1x60",
            "payment_operator_leader": "1x60",
        },
        {
            "payment_operator_last_resync_timestamp_seconds": "0+60x60",
            "payment_operator_last_reconcile_timestamp_seconds": "60x60",
            "payment_operator_platforms": "0x60",
            "payment_operator_leader": "1x60",
        },
        "there is nothing to do",
    ),
    *_pair(
        "OperatorErrors",
        "30m",
        {'payment_operator_errors_total{reason="Conflict"}': "0+1x60"},
        {'payment_operator_errors_total{reason="Conflict"}': "0x20 1x60"},
        "one error",
    ),
    *_pair(
        "OperatorQueueLong",
        "15m",
        {"payment_operator_queue_depth": "20x60"},
        {"payment_operator_queue_depth": "20x9 0 20x60"},
        "it was empty in between",
    ),
    *_gauge("PlatformNotReady", _CONDITION % ("Ready", "False"), 1, 0, "15m"),
    Case("PlatformNotReady", {_CONDITION % ("Progressing", "False"): "1x60"}, "15m", 0, "another condition"),
    *_gauge("PlatformDegraded", _CONDITION % ("Degraded", "True"), 1, 0, "15m"),
    *_gauge("ObservabilityNotReady", _CONDITION % ("ObservabilityReady", "False"), 1, 0, "5m"),
    Case(
        "ObservabilityNotReady",
        {_CONDITION % ("ObservabilityReady", "Unknown"): "1x60"},
        "5m",
        0,
        "switched off",
    ),
    *_pair(
        "KeyRotationOverdue",
        "2h",
        {f"payment_operator_key_rotation_due_timestamp_seconds{_SET}": "60x180"},
        {f"payment_operator_key_rotation_due_timestamp_seconds{_SET}": "4000x180"},
        "due less than an hour ago",
    ),
    *_pair(
        "KeyOld",
        "2h",
        {f"payment_operator_key_in_use_since_timestamp_seconds{_SET}": "-31536000x180"},
        {f"payment_operator_key_in_use_since_timestamp_seconds{_SET}": "-31500000x180"},
        "not a year yet",
    ),
    *_pair(
        "CertificateExpiring",
        "2h",
        {'certmanager_certificate_expiration_timestamp_seconds{namespace="shop",name="tls"}': "1200000x180"},
        {'certmanager_certificate_expiration_timestamp_seconds{namespace="shop",name="tls"}': "2000000x180"},
        "three weeks are left",
    ),
]

CASES = [*MONEY, *OBJECTIVES, *SERVICES, *OPERATOR]
