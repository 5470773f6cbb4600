"""What the operator counts, on /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from payment_operator.errors import reasons

RECONCILES = Counter("payment_operator_reconciles_total", "Reconciles that ended, by result.", ["result"])
for _result in ("ok", "error"):
    RECONCILES.labels(_result)
ERRORS = Counter("payment_operator_errors_total", "Errors of reconciles, by reason.", ["reason"])
for _reason in sorted(reasons()):
    ERRORS.labels(_reason)
DURATION = Histogram(
    "payment_operator_reconcile_duration_seconds",
    "Time of one reconcile.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
QUEUE_DEPTH = Gauge("payment_operator_queue_depth", "Namespaces that wait for a worker.")
WRITES = Counter(
    "payment_operator_writes_total", "Writes to the API server, by verb and kind.", ["verb", "kind"]
)
RENDERS = Counter(
    "payment_operator_renders_total", "Renders of the chart, by where they came from.", ["source"]
)
PAYMENT_PATH = Gauge(
    "payment_operator_payment_path_latency_seconds",
    "Time of the last synthetic payment; NaN when it failed.",
    ["platform_namespace", "platform"],
)
LAST_RESYNC = Gauge("payment_operator_last_resync_timestamp_seconds", "When the last full pass was queued.")
LAST_RECONCILE = Gauge(
    "payment_operator_last_reconcile_timestamp_seconds", "When the last reconcile ended well, Unix time."
)
LEADER = Gauge("payment_operator_leader", "1 while this operator holds the Lease, else 0.")
PLATFORMS = Gauge("payment_operator_platforms", "PaymentPlatforms seen in the last full pass.")
CONDITION = Gauge(
    "payment_operator_platform_condition",
    "1 for the status that a condition of a platform has now, 0 for the other two.",
    ["platform_namespace", "platform", "condition", "status"],
)
KEY_SINCE = Gauge(
    "payment_operator_key_in_use_since_timestamp_seconds",
    "Since when the key in use of a key set is in use, Unix time.",
    ["platform_namespace", "platform", "key_set"],
)
KEY_DUE = Gauge(
    "payment_operator_key_rotation_due_timestamp_seconds",
    "When the next key of a key set is due, Unix time; nothing where keys rotate on demand only.",
    ["platform_namespace", "platform", "key_set"],
)
BACKUP_TIME = Gauge(
    "payment_operator_backup_last_success_timestamp_seconds",
    "When the last backup of a platform ended well.",
    ["platform_namespace", "platform"],
)
