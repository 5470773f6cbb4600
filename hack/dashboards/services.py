"""Services: rate, errors and duration of every route and call, and what each process needs."""

from __future__ import annotations

from hack.dashboards.panels import GREEN, ORANGE, RED, Dashboard, Panel, Row, alarm, lines, q, stat

#: Requests of callers, not of the kubelet and Prometheus.
_ASKED = 'service=~"$service", http_route!~"/live|/ready|/health|/metrics"'
_COUNT = "http_server_request_duration_seconds_count"
_BUCKET = "http_server_request_duration_seconds_bucket"
_CALLS = "http_client_request_duration_seconds"

RED_ROW = Row(
    "Rate, errors, duration",
    (
        lines(
            "Requests",
            "Requests answered, by service; probes and scrapes left out.",
            "reqps",
            q(f"sum by (service) (rate({_COUNT}{{{_ASKED}}}[$__rate_interval]))", "{{service}}"),
        ),
        lines(
            "Errors",
            "Part of the requests that ended with a 5xx.",
            "percentunit",
            q(
                f"""(sum by (service)
                (rate({_COUNT}{{{_ASKED}, http_response_status_code=~"5.."}}[$__rate_interval]))
                or 0 * sum by (service) (rate({_COUNT}{{{_ASKED}}}[$__rate_interval])))
                / sum by (service) (rate({_COUNT}{{{_ASKED}}}[$__rate_interval]))""",
                "{{service}}",
            ),
            limits=((None, GREEN), (0.001, RED)),
        ),
        lines(
            "Duration, p99",
            "99 % of the requests take no longer.",
            "s",
            q(
                f"""histogram_quantile(0.99,
                sum by (service, le) (rate({_BUCKET}{{{_ASKED}}}[$__rate_interval])))""",
                "{{service}}",
            ),
        ),
        Panel(
            "Routes",
            "Requests a second of the last five minutes, by route and status.",
            "reqps",
            (
                q(
                    f"""sort_desc(sum by (service, http_request_method, http_route, http_response_status_code)
                    (rate({_COUNT}{{{_ASKED}}}[5m])) > 0)"""
                ),
            ),
            kind="table",
            width=12,
            height=10,
        ),
        lines(
            "Duration by route, p95",
            "95 % of a route's requests take no longer; the ten slowest.",
            "s",
            q(
                f"""topk(10, histogram_quantile(0.95,
                sum by (service, http_route, le) (rate({_BUCKET}{{{_ASKED}}}[$__rate_interval]))))""",
                "{{service}} {{http_route}}",
            ),
            width=12,
            height=10,
        ),
        lines(
            "Status",
            "Answers by status; 4xx are the callers' own.",
            "reqps",
            q(
                f"""sum by (http_response_status_code)
                (rate({_COUNT}{{{_ASKED}}}[$__rate_interval]))""",
                "{{http_response_status_code}}",
            ),
            stacked=True,
        ),
        lines(
            "Being answered",
            "Requests that are being answered now.",
            "short",
            q('sum by (service) (http_server_active_requests{service=~"$service"})', "{{service}}"),
        ),
        stat(
            "Targets down",
            "Pods and exporters that cannot be scraped.",
            "short",
            q("count(up == 0) or vector(0)"),
            limits=alarm(1),
            width=8,
            height=7,
        ),
    ),
)

CALLS_ROW = Row(
    "Calls between services",
    (
        lines(
            "Calls",
            "Calls by caller and peer.",
            "reqps",
            q(
                f"""sum by (service, server_address)
                (rate({_CALLS}_count{{service=~"$service"}}[$__rate_interval]))""",
                "{{service}} → {{server_address}}",
            ),
        ),
        lines(
            "Calls that fail",
            "Calls without an answer, by reason, and answers with a 5xx.",
            "reqps",
            q(
                f"""sum by (service, server_address, error_type, http_response_status_code)
                (rate({_CALLS}_count{{service=~"$service", http_response_status_code=~"|5.."}}
                [$__rate_interval])) or vector(0)""",
                "{{service}} → {{server_address}} {{error_type}}{{http_response_status_code}}",
            ),
        ),
        lines(
            "Duration of calls, p95",
            "95 % of the calls take no longer, the peer's own time included.",
            "s",
            q(
                f"""histogram_quantile(0.95, sum by (service, server_address, le)
                (rate({_CALLS}_bucket{{service=~"$service"}}[$__rate_interval])))""",
                "{{service}} → {{server_address}}",
            ),
        ),
        lines(
            "Circuits",
            "0 closed, 1 half-open, 2 open: calls are refused at once.",
            "short",
            q(
                'max by (service, peer) (payments_circuit_state{service=~"$service"})',
                "{{service}} → {{peer}}",
            ),
            limits=((None, GREEN), (2, RED)),
        ),
        lines(
            "Circuits opened",
            "Times that circuits opened in the last ten minutes.",
            "short",
            q(
                """sum by (service, peer)
                (increase(payments_circuit_opened_total{service=~"$service"}[10m]))""",
                "{{service}} → {{peer}}",
            ),
        ),
        lines(
            "Refused by open circuits",
            "Calls that an open circuit answered at once, without the peer.",
            "reqps",
            q(
                """sum by (service, peer)
                (rate(payments_circuit_refused_total{service=~"$service"}[$__rate_interval]))""",
                "{{service}} → {{peer}}",
            ),
        ),
    ),
)

EVENTS_ROW = Row(
    "Events",
    (
        lines(
            "Outboxes: age",
            "Age of the oldest event that Kafka does not have yet.",
            "s",
            q("max by (owner) (payments_outbox_oldest_age_seconds)", "{{owner}}"),
            limits=((None, GREEN), (60, ORANGE), (900, RED)),
        ),
        lines(
            "Outboxes: events",
            "Events that Kafka does not have yet.",
            "short",
            q("max by (owner) (payments_outbox_unpublished_rows)", "{{owner}}"),
        ),
        lines(
            "Consumers",
            "Messages that a group has not processed.",
            "short",
            q("max by (group, topic) (payments_consumer_lag_messages)", "{{group}} {{topic}}"),
        ),
        lines(
            "Dead letters",
            "Messages of the last hour that could not be processed and were put aside.",
            "short",
            q("sum by (topic) (increase(payments_dead_letters_total[1h]))", "{{topic}}"),
            limits=alarm(1),
        ),
        lines(
            "Age of samples",
            "Since a gauge that is asked of the database or Kafka was last taken.",
            "s",
            q(
                "time() - max by (service, sample) (payments_sample_timestamp_seconds)",
                "{{service}} {{sample}}",
            ),
            limits=((None, GREEN), (120, RED)),
        ),
    ),
)

PROCESS_ROW = Row(
    "Processes",
    (
        lines(
            "CPU",
            "Cores that all pods of a service use.",
            "short",
            q(
                'sum by (service) (rate(process_cpu_seconds_total{service=~"$service"}[$__rate_interval]))',
                "{{service}}",
            ),
        ),
        lines(
            "Memory",
            "Resident memory of each pod.",
            "bytes",
            q('process_resident_memory_bytes{service=~"$service"}', "{{service}} {{instance}}"),
        ),
        lines(
            "Database connections",
            "Connections in use as a part of those that the pool may open.",
            "percentunit",
            q(
                """max by (service, instance) (db_client_connection_count{service=~"$service", state="used"})
                / on (service, instance) max by (service, instance) (db_client_connection_max)""",
                "{{service}} {{instance}}",
            ),
            limits=((None, GREEN), (1, RED)),
        ),
        lines(
            "Open files",
            "Open files and sockets as a part of what the process may open.",
            "percentunit",
            q(
                """max by (service) (process_open_fds{service=~"$service"} / process_max_fds)""",
                "{{service}}",
            ),
        ),
        lines(
            "Garbage collections",
            "Collections of the oldest generation, which stop the process.",
            "ops",
            q(
                """sum by (service)
                (rate(python_gc_collections_total{service=~"$service", generation="2"}[$__rate_interval]))""",
                "{{service}}",
            ),
        ),
        lines(
            "Up since",
            "How long each pod runs.",
            "s",
            q('time() - process_start_time_seconds{service=~"$service"}', "{{service}} {{instance}}"),
        ),
    ),
)

SERVICES = Dashboard(
    "services",
    "Services",
    "Rate, errors and duration of every route and call, and what each process needs.",
    (RED_ROW, CALLS_ROW, EVENTS_ROW, PROCESS_ROW),
    (("service", 'label_values(up{job="payment-services"}, service)'),),
)
