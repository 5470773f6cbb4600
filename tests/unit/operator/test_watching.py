"""The observability stack: who watches never keeps a payment from being made."""

from dataclasses import replace
from typing import Any

import pytest

from payment_operator.credentials import needed
from payment_operator.kinds import PART_LABEL
from payment_operator.manifest import Manifest
from payment_operator.plan import Rollout, plan
from payment_operator.reach import external_parts
from payment_operator.settings import Settings
from payment_operator.values import parse
from payment_operator.view import View
from payment_operator.watching import observability
from tests.unit.operator.builders import Object as Body
from tests.unit.operator.builders import applied, by_ref, deployment, stateful_set, wanted
from tests.unit.operator.test_credentials import KINDS
from tests.unit.operator.test_status import found, look, pairs

Pair = tuple[Manifest, Body]
ON = {"enabled": True}


def part(name: str, of: str, *, ready: int = 1) -> Pair:
    """A Deployment of a part and its live twin."""
    item = wanted("Deployment", name, 4, labels={PART_LABEL: of}, spec={"replicas": 1})
    status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1}
    return item, applied(item, status=status | {"readyReplicas": ready, "availableReplicas": ready})


def watched(*parts: Pair, gone: str = "", **stack: Any) -> View:
    """A healthy platform with these parts; one of them is `gone`."""
    objects = [*pairs(), *parts]
    live = by_ref(*(body for item, body in objects if item.ref.name != gone))
    view = look(pairs(), spec=parse({"profile": "dev", "observability": stack}))
    return replace(view, desired=[item for item, _ in objects], observed=replace(view.observed, live=live))


def test_switched_off_says_so() -> None:
    assert observability(watched())[:2] == ("Unknown", "Disabled")
    assert observability(watched(collector={"enabled": False}))[:2] == ("Unknown", "Disabled")


def test_all_parts_ready() -> None:
    view = watched(part("otel-collector", "collector"), part("jaeger", "jaeger"), collector=ON, jaeger=ON)
    assert observability(view)[:2] == ("True", "Ready")
    conditions = found(view)
    assert conditions["ObservabilityReady"][0] == "True"
    # They are no services of the platform.
    assert "2 Deployments" in conditions["ServicesReady"][2]


@pytest.mark.parametrize(("gone", "ready", "reason"), [("jaeger", 1, "Missing"), ("", 0, "NotReady")])
def test_a_part_that_is_not_ready_is_named_and_payments_go_on(gone: str, ready: int, reason: str) -> None:
    parts = (part("otel-collector", "collector"), part("jaeger", "jaeger", ready=ready))
    conditions = found(watched(*parts, gone=gone, collector=ON, jaeger=ON))
    assert conditions["ObservabilityReady"][:2] == ("False", reason)
    assert "not ready: jaeger:" in conditions["ObservabilityReady"][2]
    assert conditions["Ready"][0] == "True"
    assert conditions["ServicesReady"][0] == "True"
    assert conditions["Progressing"][0] == "False"
    assert conditions["Degraded"][:2] == ("True", "ObservabilityNotReady")


def test_a_part_that_was_scaled_away_while_paused_is_missed() -> None:
    item, live = part("jaeger", "jaeger", ready=0)
    none = {"observedGeneration": 1}
    view = watched((item, live | {"spec": {"replicas": 0}, "status": none}), jaeger=ON)
    paused = parse({"profile": "dev", "paused": True, "observability": {"jaeger": ON}})
    status, reason, message = observability(replace(view, spec=paused))
    assert (status, reason) == ("False", "NotReady") and "not ready: jaeger:" in message


def test_a_part_elsewhere_that_does_not_answer_is_named() -> None:
    jaeger = ON | {"mode": "External", "external": {"url": "http://jaeger.monitoring:4318"}}
    view = watched(jaeger=jaeger)
    assert observability(view)[0] == "True"
    silent = replace(view, parts_unreachable={"jaeger": "jaeger.monitoring:4318 does not answer (refused)"})
    status, reason, message = observability(silent)
    assert (status, reason) == ("False", "Unreachable")
    assert "check spec.observability.jaeger" in message
    assert found(silent)["Ready"][0] == "True"
    assert silent.external


def test_addresses_of_parts_elsewhere() -> None:
    spec = parse(
        {
            "profile": "dev",
            "observability": {
                "tracing": {"endpoint": "https://collector.monitoring"},
                "collector": ON | {"mode": "External"},
                "jaeger": {"enabled": False, "mode": "External", "external": {"url": "http://off:1"}},
                "prometheus": ON | {"mode": "External"},
            },
        }
    )
    assert external_parts(spec) == {"collector": [("collector.monitoring", 443)]}
    assert external_parts(parse({"profile": "dev"})) == {}


def test_no_wave_waits_for_who_only_watches() -> None:
    store, store_live = stateful_set("postgres")
    service, service_live = deployment("api-gateway")
    late, late_live = part("otel-collector", "collector", ready=0)
    last = wanted("Service", "load-balancer", 5)
    live = by_ref(store_live, service_live, late_live)
    decided = plan([store, service, late, last], live, frozenset(), Rollout(True, False))
    assert [item.ref.name for item in decided.apply] == ["load-balancer"]
    # One that cannot be made does not keep the rest from being made either.
    taken = plan(
        [store, service, late, last],
        by_ref(store_live, service_live),
        frozenset({late.ref}),
        Rollout(True, False),
    )
    assert [item.ref.name for item in taken.apply] == ["load-balancer"]
    assert taken.conflicts == (late.ref,)
    early = plan([store, late], {}, frozenset(), Rollout(True, False))
    assert [item.ref.name for item in early.apply] == ["postgres"]


def test_what_is_switched_off_is_pruned() -> None:
    service, service_live = deployment("api-gateway")
    _, old = part("otel-collector", "collector")
    decided = plan([service], by_ref(service_live, old), frozenset(), Rollout(False, True))
    assert [ref.name for ref in decided.prune] == ["otel-collector"]


def test_secrets_of_parts_are_made_for_those_that_run() -> None:
    def names(**stack: Any) -> set[str]:
        spec = parse({"profile": "dev", "observability": stack})
        return {kind.name for kind in needed(KINDS, spec) if kind.part}

    assert names() == names(prometheus={"enabled": False}) == set()
    secrets = {"search": "search-credentials", "influxdb": "influxdb-credentials", "grafana": "grafana-admin"}
    for part_of_stack, secret in secrets.items():
        assert names(**{part_of_stack: ON}) == {secret}
    elsewhere = {
        "mode": "External",
        "external": {"url": "http://s:9200", "credentialsSecretRef": {"name": "x"}},
    }
    assert names(search=ON | elsewhere) == set()
    assert names(prometheus=ON) == names(prometheus=ON | {"mode": "External"}) == {"metrics-database"}


def test_the_operators_metrics_have_an_address_in_a_cluster_only() -> None:
    assert Settings().metrics_address == ""
    assert Settings(lease_namespace="ops").metrics_address == "payment-operator-metrics.ops:9090"
    assert Settings(lease_namespace="ops", metrics_port=0).metrics_address == ""
