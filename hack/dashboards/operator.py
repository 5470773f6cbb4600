"""The operator: what it does, and how the platforms that it keeps are."""

from __future__ import annotations

from hack.dashboards.panels import GREEN, ORANGE, RED, Dashboard, Panel, Row, alarm, lines, q, stat

WORK = Row(
    "Work",
    (
        stat(
            "Leaders",
            "Operators that hold the Lease: one.",
            "short",
            q("sum(payment_operator_leader)"),
            limits=((None, RED), (1, GREEN), (2, RED)),
        ),
        stat(
            "Platforms",
            "PaymentPlatforms seen in the last full pass.",
            "short",
            q("max(payment_operator_platforms)"),
        ),
        stat(
            "Last full pass",
            "Since the last pass over all platforms was queued.",
            "s",
            q("time() - max(payment_operator_last_resync_timestamp_seconds)"),
            limits=((None, GREEN), (300, ORANGE), (600, RED)),
        ),
        stat(
            "Last reconcile",
            "Since the last reconcile that ended well.",
            "s",
            q("time() - max(payment_operator_last_reconcile_timestamp_seconds)"),
            limits=((None, GREEN), (300, ORANGE), (900, RED)),
        ),
        stat(
            "Queue",
            "Platforms that wait for a worker.",
            "short",
            q("max(payment_operator_queue_depth)"),
            limits=((None, GREEN), (10, ORANGE)),
        ),
        stat(
            "Errors, 1 h",
            "Reconciles of the last hour that ended with an error.",
            "short",
            q('sum(increase(payment_operator_reconciles_total{result="error"}[1h]))'),
            limits=alarm(1),
            decimals=0,
        ),
        lines(
            "Reconciles",
            "Reconciles that ended, by result.",
            "ops",
            q("sum by (result) (rate(payment_operator_reconciles_total[$__rate_interval]))", "{{result}}"),
        ),
        lines(
            "Time of a reconcile",
            "Duration of reconciles.",
            "s",
            q(
                """histogram_quantile(0.5,
                sum by (le) (rate(payment_operator_reconcile_duration_seconds_bucket[$__rate_interval])))""",
                "p50",
            ),
            q(
                """histogram_quantile(0.99,
                sum by (le) (rate(payment_operator_reconcile_duration_seconds_bucket[$__rate_interval])))""",
                "p99",
            ),
        ),
        lines(
            "Errors",
            "Errors of reconciles, by reason.",
            "ops",
            q("sum by (reason) (rate(payment_operator_errors_total[$__rate_interval]))", "{{reason}}"),
        ),
        lines(
            "Writes",
            "Writes to the API server; a platform at rest needs none.",
            "ops",
            q(
                "sum by (verb, kind) (rate(payment_operator_writes_total[$__rate_interval]))",
                "{{verb}} {{kind}}",
            ),
        ),
        lines(
            "Renders",
            "Renders of the chart: by helm, or from the cache.",
            "ops",
            q("sum by (source) (rate(payment_operator_renders_total[$__rate_interval]))", "{{source}}"),
        ),
        lines(
            "Memory and CPU",
            "Resident memory of the operator's pods.",
            "bytes",
            q('process_resident_memory_bytes{job="payment-operator"}', "{{instance}}"),
        ),
    ),
)

PLATFORMS = Row(
    "Platforms",
    (
        Panel(
            "Conditions",
            "The status that each condition of each platform has now.",
            "short",
            (
                q(
                    """max by (platform_namespace, platform, condition, status)
                    (payment_operator_platform_condition{platform_namespace=~"$platform_namespace"} == 1)"""
                ),
            ),
            kind="table",
            width=12,
            height=12,
        ),
        lines(
            "Ready",
            "1 while a payment can be made.",
            "short",
            q(
                """max by (platform_namespace, platform) (payment_operator_platform_condition{
                condition="Ready", status="True", platform_namespace=~"$platform_namespace"})""",
                "{{platform_namespace}}/{{platform}}",
            ),
            width=12,
            height=6,
        ),
        lines(
            "Age of keys",
            "Since when the key in use of each set is in use.",
            "s",
            q(
                """time() - max by (platform_namespace, platform, key_set) (
                payment_operator_key_in_use_since_timestamp_seconds{platform_namespace=~"$platform_namespace"})""",
                "{{platform_namespace}}/{{platform}} {{key_set}}",
            ),
            width=12,
            height=6,
            limits=((None, GREEN), (365 * 86400, ORANGE)),
        ),
        lines(
            "Rotation due in",
            "Time until the next key of each set is due; no series where keys rotate on demand only.",
            "s",
            q(
                """max by (platform_namespace, platform, key_set) (
                payment_operator_key_rotation_due_timestamp_seconds{platform_namespace=~"$platform_namespace"})
                - time()""",
                "{{platform_namespace}}/{{platform}} {{key_set}}",
            ),
            width=12,
            height=6,
        ),
    ),
)

OPERATOR = Dashboard(
    "operator",
    "Operator",
    "What the operator does, and how the platforms that it keeps are.",
    (WORK, PLATFORMS),
    (("platform_namespace", "label_values(payment_operator_platform_condition, platform_namespace)"),),
)
