"""What Prometheus is asked about the services of a platform, and what its answers mean. Pure.

Work that waits while nothing of it is done tells a service that hangs from one that has much to do: a probe
that only asks whether the process answers sees no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from payment_operator.advice import Use

#: For so long work must wait, and none be done.
WINDOW = "3m"


class Sample(NamedTuple):
    """One series of an instant query."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Load:
    """By service: ``behind`` how many messages and rows of its outbox wait, ``stuck`` why it may hang."""

    behind: Mapping[str, float]
    stuck: Mapping[str, str]


_LAG = "payments_consumer_lag_messages"
_AGE = "payments_outbox_oldest_age_seconds"
_REQUESTS = "http_server_request_duration_seconds_count"
#: `%s` is the selector of the namespace, without braces.
BEHIND = (
    f"sum by (service) (max by (service, topic, group) ({_LAG}{{%s}}))",
    "max by (service) (payments_outbox_unpublished_rows{%s})",
)
STUCK = {
    "messages wait and its group's offsets stand still": f"""
        max by (service) (
          min_over_time({_LAG}{{%s}}[{WINDOW}]) > 0
          and on (topic, group) label_replace(
            sum by (topic, consumergroup) (changes(kafka_consumergroup_current_offset{{%s}}[{WINDOW}])) == 0,
            "group", "$1", "consumergroup", "(.*)"))""",
    "rows of its outbox wait and none gets to Kafka": f"""
        max by (service) (
          (min_over_time({_AGE}{{%s}}[{WINDOW}]) > 60) and (resets({_AGE}{{%s}}[{WINDOW}]) == 0))""",
    "each request ends with an internal error": f"""
        sum by (service) (increase({_REQUESTS}{{http_response_status_code="500",%s}}[{WINDOW}])) > 20
        unless sum by (service) (
          increase({_REQUESTS}{{http_response_status_code=~"[1-4]..",%s}}[{WINDOW}])) > 0""",
}
#: What the busiest pod used in six hours, of services that ran for one at least.
_PAST = "and on (service) max by (service) (time() - process_start_time_seconds{%s}) > 3600"
_RATES = "rate(process_cpu_seconds_total{%s}[5m])[6h:5m]"
CPU = f"max by (service) (quantile_over_time(0.95, {_RATES})) {_PAST}"
MEMORY = f"max by (service) (max_over_time(process_resident_memory_bytes{{%s}}[6h])) {_PAST}"


def uses_of(namespace: str, ask: Callable[[str], Sequence[Sample]]) -> dict[str, Use]:
    """What the services of a namespace used. Raises what ``ask`` raises."""
    cpu = dict(_by_service(ask(_filled(CPU, namespace))))
    memory = dict(_by_service(ask(_filled(MEMORY, namespace))))
    return {name: Use(cpu[name], memory[name]) for name in cpu.keys() & memory.keys()}


def load_of(namespace: str, ask: Callable[[str], Sequence[Sample]]) -> Load:
    """The load of a namespace's services. Raises what ``ask`` raises."""
    behind: dict[str, float] = {}
    for query in BEHIND:
        for name, value in _by_service(ask(_filled(query, namespace))):
            behind[name] = behind.get(name, 0.0) + value
    stuck: dict[str, str] = {}
    for why, query in STUCK.items():
        for name, _ in _by_service(ask(_filled(query, namespace))):
            stuck.setdefault(name, why)
    return Load(behind, stuck)


def _filled(query: str, namespace: str) -> str:
    return " ".join(query.replace("%s", f'namespace="{namespace}"').split())


def _by_service(samples: Sequence[Sample]) -> list[tuple[str, float]]:
    return [(item.labels["service"], item.value) for item in samples if item.labels.get("service")]
