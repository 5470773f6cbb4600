"""The operator's questions about load, answered by Prometheus' own engine."""

from pathlib import Path
from typing import Any

import yaml

from payment_operator.load import STUCK, load_of, uses_of
from tests.support.promtool import ensure_images, promtool

PLACE = 'namespace="shop",service="%s"'
LAG = f'payments_consumer_lag_messages{{{PLACE},topic="t",group="%s",instance="%s"}}'
OFFSET = 'kafka_consumergroup_current_offset{namespace="shop",consumergroup="%s",topic="t",partition="%d"}'
AGE = f'payments_outbox_oldest_age_seconds{{{PLACE},owner="o"}}'
ROWS = f'payments_outbox_unpublished_rows{{{PLACE},owner="o",instance="%s"}}'
REQUESTS = f'http_server_request_duration_seconds_count{{{PLACE},http_response_status_code="%s"}}'
#: Every 15 s over six minutes, as promtool has it.
SERIES = {
    # Two pods tell the same lag; the group's offsets stand still.
    LAG % ("audit-service", "a", "1"): "5+1x24",
    LAG % ("audit-service", "a", "2"): "5+1x24",
    OFFSET % ("a", 0): "7x24",
    OFFSET % ("a", 1): "9x24",
    # Slower than the messages come, but at work: one of its partitions moves.
    LAG % ("notification-service", "n", "1"): "5+10x24",
    OFFSET % ("n", 0): "7x24",
    OFFSET % ("n", 1): "9+2x24",
    # Nothing waits.
    LAG % ("kyc-service", "k", "1"): "0x24",
    OFFSET % ("k", 0): "7x24",
    # No row leaves; and one whose rows leave late.
    AGE % "otp-service": "100+15x24",
    AGE % "account-service": "100+15x17 70+15x6",
    ROWS % ("otp-service", "1"): "4x24",
    ROWS % ("otp-service", "2"): "3x24",
    # Errors only; errors among other answers.
    REQUESTS % ("risk-service", "500"): "0+10x24",
    REQUESTS % ("ofac-service", "500"): "0+10x24",
    REQUESTS % ("ofac-service", "200"): "0+1x24",
    # Errors of somebody else.
    REQUESTS % ("confirm-service", "503"): "0+10x24",
    # Another platform.
    'payments_consumer_lag_messages{namespace="other",service="audit-service",topic="t",group="a"}': "99x24",
}
HANGING = ["audit-service", "otp-service", "risk-service"]
BEHIND: list[dict[str, float]] = [
    {"audit-service": 29, "notification-service": 245, "kyc-service": 0},
    {"otp-service": 4},
]


def questions() -> list[str]:
    """All queries about one namespace."""
    asked: list[str] = []

    def ask(query: str) -> list[Any]:
        asked.append(query)
        return []

    load_of("shop", ask)
    return asked


def test_what_hangs_is_told_from_what_has_much_to_do(tmp_path: Path) -> None:
    ensure_images("prometheus")
    queries = questions()
    assert len(queries) == len(BEHIND) + len(STUCK)
    tests = [
        {"expr": query, "eval_time": "6m", "exp_samples": [_sample(*item) for item in values.items()]}
        for query, values in zip(queries, BEHIND, strict=False)
    ]
    for query, name in zip(queries[len(BEHIND) :], HANGING, strict=True):
        # Which service, not how much: the value is of no matter.
        tests.append(
            {
                "expr": f"sum by (service) ({query}) > bool -1",
                "eval_time": "6m",
                "exp_samples": [_sample(name, 1)],
            }
        )
    series = [{"series": name, "values": text} for name, text in SERIES.items()]
    document = {"tests": [{"interval": "15s", "input_series": series, "promql_expr_test": tests}]}
    (tmp_path / "queries.test").write_text(yaml.safe_dump(document))
    tmp_path.chmod(0o755)
    promtool("test", "rules", "queries.test", folder=tmp_path)


def test_what_was_used_is_that_of_the_busiest_pod(tmp_path: Path) -> None:
    """In cores and bytes; a peak counts for memory only, and a service that has just begun not at all."""
    ensure_images("prometheus")
    pod = 'namespace="shop",service="%s",instance="%s"'
    series = {}
    for name, instance, cores, begun in (("a", "1", 12, 0), ("a", "2", 30, 0), ("b", "1", 30, 24000)):
        labels = pod % (name, instance)
        series[f"process_cpu_seconds_total{{{labels}}}"] = f"0+{cores}x420"
        series[f"process_resident_memory_bytes{{{labels}}}"] = f"{cores}x200 {2 * cores} {cores}x220"
        series[f"process_start_time_seconds{{{labels}}}"] = f"{begun}x421"
    asked: list[str] = []

    def ask(query: str) -> list[Any]:
        asked.append(query)
        return []

    uses_of("shop", ask)
    tests = [
        {"expr": query, "eval_time": "7h", "exp_samples": [_sample("a", value)]}
        for query, value in zip(asked, (0.5, 60), strict=True)
    ]
    listed = [{"series": name, "values": text} for name, text in series.items()]
    document = {"tests": [{"interval": "1m", "input_series": listed, "promql_expr_test": tests}]}
    (tmp_path / "uses.test").write_text(yaml.safe_dump(document))
    tmp_path.chmod(0o755)
    promtool("test", "rules", "uses.test", folder=tmp_path)


def _sample(service: str, value: float) -> dict[str, Any]:
    return {"labels": f'{{service="{service}"}}', "value": value}
