"""Dependencies: PostgreSQL, Redis, Kafka, load balancer, the way of the traces; as their exporters tell."""

from __future__ import annotations

from hack.dashboards.panels import GREEN, ORANGE, RED, Dashboard, Row, alarm, lines, q, stat

UP = ((None, RED), (1, GREEN))

POSTGRES = Row(
    "PostgreSQL",
    (
        stat("PostgreSQL", "1: the exporter reaches it.", "short", q("min(pg_up)"), limits=UP),
        stat(
            "Connections",
            "Connections in use as a part of those that PostgreSQL takes.",
            "percentunit",
            q("sum(pg_stat_activity_count) / max(pg_settings_max_connections)"),
            limits=((None, GREEN), (0.8, ORANGE), (0.95, RED)),
        ),
        stat(
            "Cache hits",
            "Blocks found in memory, of all that were read.",
            "percentunit",
            q("sum(pg_stat_database_blks_hit) / sum(pg_stat_database_blks_hit + pg_stat_database_blks_read)"),
            limits=((None, RED), (0.9, ORANGE), (0.99, GREEN)),
            decimals=2,
        ),
        stat(
            "Size",
            "Size of all databases on disk.",
            "bytes",
            q("sum(pg_database_size_bytes)"),
        ),
        stat(
            "Deadlocks, 1 h",
            "Deadlocks of the last hour; payments are made so that there is none.",
            "short",
            q("sum(increase(pg_stat_database_deadlocks[1h]))"),
            limits=alarm(1),
            decimals=0,
        ),
        stat(
            "Longest transaction",
            "Age of the longest transaction that is open.",
            "s",
            q("max(pg_stat_activity_max_tx_duration)"),
            limits=((None, GREEN), (30, ORANGE), (300, RED)),
        ),
        lines(
            "Transactions",
            "Commits and rollbacks.",
            "ops",
            q("sum(rate(pg_stat_database_xact_commit[$__rate_interval]))", "commits"),
            q("sum(rate(pg_stat_database_xact_rollback[$__rate_interval]))", "rollbacks"),
        ),
        lines(
            "Connections by state",
            "Sessions of PostgreSQL by what they do.",
            "short",
            q("sum by (state) (pg_stat_activity_count)", "{{state}}"),
            stacked=True,
        ),
        lines("Locks", "Locks held, by mode.", "short", q("sum by (mode) (pg_locks_count)", "{{mode}}")),
        lines(
            "Rows written",
            "Rows inserted, updated and deleted.",
            "ops",
            q("sum(rate(pg_stat_database_tup_inserted[$__rate_interval]))", "inserted"),
            q("sum(rate(pg_stat_database_tup_updated[$__rate_interval]))", "updated"),
            q("sum(rate(pg_stat_database_tup_deleted[$__rate_interval]))", "deleted"),
        ),
    ),
)

REDIS = Row(
    "Redis",
    (
        stat("Redis", "1: the exporter reaches it.", "short", q("min(redis_up)"), limits=UP),
        stat("Memory", "Memory that Redis' data take.", "bytes", q("max(redis_memory_used_bytes)")),
        stat("Clients", "Connections to Redis.", "short", q("max(redis_connected_clients)")),
        stat(
            "Refused writes",
            "Commands refused in the last hour, for want of memory among others.",
            "short",
            q("sum(increase(redis_errors_total[1h])) or vector(0)"),
            limits=alarm(1),
            decimals=0,
        ),
        lines(
            "Commands",
            "Commands carried out.",
            "ops",
            q("sum(rate(redis_commands_processed_total[$__rate_interval]))", "commands"),
            width=8,
            height=7,
        ),
        lines(
            "Time of a command",
            "Mean time by command, of those that take longest in all.",
            "s",
            q(
                """topk(5, sum by (cmd) (rate(redis_commands_duration_seconds_total[$__rate_interval]))
                / sum by (cmd) (rate(redis_commands_total[$__rate_interval])))""",
                "{{cmd}}",
            ),
        ),
        lines(
            "Append-only file",
            "1: the last write of the append-only file went well.",
            "short",
            q("min(redis_aof_last_write_status)", "written"),
        ),
    ),
)

KAFKA = Row(
    "Kafka",
    (
        stat("Kafka", "1: a broker answers.", "short", q("min(kafka_up)"), limits=UP),
        stat("Brokers", "Brokers that are there.", "short", q("max(kafka_brokers)"), limits=UP),
        stat(
            "Under-replicated",
            "Partitions with a replica that is not in sync.",
            "short",
            q("sum(kafka_topic_partition_under_replicated_partition)"),
            limits=alarm(1),
        ),
        lines(
            "Records",
            "Records written, by topic.",
            "wps",
            q(
                "sum by (topic) (rate(kafka_topic_partition_current_offset[$__rate_interval]))",
                "{{topic}}",
            ),
            width=12,
        ),
        lines(
            "Lag",
            "Records that a group has not read.",
            "short",
            q(
                "sum by (consumergroup, topic) (kafka_consumergroup_lag)",
                "{{consumergroup}} {{topic}}",
            ),
            width=12,
        ),
    ),
)

EDGE = Row(
    "Load balancer",
    (
        lines(
            "Connections of clients",
            "Connections of clients to nginx, by state.",
            "short",
            q("sum(nginx_connections_active)", "active"),
            q("sum(nginx_connections_writing)", "being answered"),
            q("sum(nginx_connections_waiting)", "kept"),
        ),
        lines(
            "Connections accepted",
            "New connections of clients.",
            "cps",
            q("sum(rate(nginx_connections_accepted[$__rate_interval]))", "accepted"),
        ),
    ),
)

TRACES = Row(
    "Traces",
    (
        lines(
            "Spans by service",
            "Spans that the collector has counted, by the service that made them.",
            "ops",
            q(
                "sum by (service_name) (rate(traces_spanmetrics_calls_total[$__rate_interval]))",
                "{{service_name}}",
            ),
        ),
        lines(
            "Duration of spans, p95",
            "95 % of a service's spans take no longer; as traces have it.",
            "s",
            q(
                """histogram_quantile(0.95, sum by (service_name, le)
                (rate(traces_spanmetrics_duration_seconds_bucket[$__rate_interval])))""",
                "{{service_name}}",
            ),
        ),
        lines(
            "Spans refused",
            "Spans that the collector did not take or could not send on, and those that wait to be sent.",
            "short",
            q("sum(rate(otelcol_receiver_refused_spans_total[$__rate_interval]))", "refused a second"),
            q("sum(rate(otelcol_exporter_send_failed_spans_total[$__rate_interval]))", "lost a second"),
            q("sum(otelcol_exporter_queue_size)", "waiting"),
        ),
    ),
)

SCRAPES = Row(
    "Prometheus",
    (
        lines(
            "Targets",
            "Targets by job: up, and all.",
            "short",
            q("sum by (job) (up)", "{{job}} up"),
            q("count by (job) (up)", "{{job}}"),
        ),
        lines(
            "Time of scrapes",
            "How long the slowest scrape of each job takes.",
            "s",
            q("max by (job) (scrape_duration_seconds)", "{{job}}"),
        ),
        lines(
            "Series",
            "Series that the last scrapes brought, by job.",
            "short",
            q("sum by (job) (scrape_samples_post_metric_relabeling)", "{{job}}"),
        ),
    ),
)

DEPENDENCIES = Dashboard(
    "dependencies",
    "Dependencies",
    "PostgreSQL, Redis, Kafka, the load balancer and the way of the traces.",
    (POSTGRES, REDIS, KAFKA, EDGE, TRACES, SCRAPES),
)
