"""NetworkPolicies against the catalog's flows, both ways.

The evaluator knows what Kubernetes makes of a policy, and nothing of the chart's templates.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.chart.helm import MANAGED, Object, catalog, named, pods, render
from tests.contract.chart.samples import EXTERNAL, PRODUCTION, PROFILES

CATALOG = catalog()
OUTSIDE: dict[str, str] = {}
PORTS = {53, 80, 443, 6443, 8090, 8443} | {s["port"] for s in CATALOG["services"].values()}
PORTS |= {5432, 5433, 6379, 9092, 9093, 9094, 4318}
PORTS |= {entry["port"] for entry in CATALOG["observability"].values()}
PORTS |= {port for entry in CATALOG["observability"].values() for port in entry.get("ports", {}).values()}


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, "the evaluator knows matchLabels only"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def rule_allows(rule: dict[str, Any], key: str, peer: dict[str, str], port: int) -> bool:
    if port not in [entry["port"] for entry in rule.get("ports", []) if entry["protocol"] == "TCP"]:
        return False
    if key not in rule:
        return True
    return any("podSelector" in p and peer != OUTSIDE and selects(p["podSelector"], peer) for p in rule[key])


def side_allows(mine: list[dict[str, Any]], way: str, peer: dict[str, str], port: int) -> bool:
    """Whether the policies that select a pod let `way` (Ingress or Egress) with `peer` through."""
    key = {"Ingress": "from", "Egress": "to"}[way]
    return not mine or any(
        rule_allows(rule, key, peer, port) for spec in mine for rule in spec.get(way.lower()) or []
    )


def selecting(policies: list[Object], way: str, subject: dict[str, str]) -> list[dict[str, Any]]:
    """Those that rule `way` for a pod with these labels."""
    return [
        p["spec"]
        for p in policies
        if way in p["spec"]["policyTypes"] and selects(p["spec"]["podSelector"], subject)
    ]


def allowed(objects: list[Object]) -> set[tuple[str, str, int]]:
    """Every connection that both ends let through."""
    policies = list(named(objects, "NetworkPolicy").values())
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(objects)}
    out, into = (
        {name: selecting(policies, way, own) for name, own in labels.items()} for way in ("Egress", "Ingress")
    )
    # Nobody's policies rule what is outside.
    labels["outside"], out["outside"], into["outside"] = OUTSIDE, [], []
    return {
        (source, target, port)
        for source in labels
        for target in labels
        for port in PORTS
        if not source == target == "outside"
        and side_allows(out[source], "Egress", labels[target], port)
        and side_allows(into[target], "Ingress", labels[source], port)
    }


def expected(
    external: bool = False,
    hook: bool = True,
    private_webhooks: bool = True,
    synthetic: bool = True,
    backup: bool = True,
) -> Iterator[tuple[str, str, int]]:
    services, home = CATALOG["services"], {"postgres": 5432, "redis": 6379, "kafka": 9092}
    away = {"postgres": 5433, "redis": 6379, "kafka": 9094}
    for name, entry in services.items():
        for callee in entry.get("calls", []):
            yield name, callee, services[callee]["port"]
    switched = {
        "health.syntheticPayment.enabled": synthetic,
        "backup.enabled": backup,
        "backup.pointInTime.enabled": False,
        "derived.restorePending": False,
    }
    jobs = {
        name: job
        for name, job in (CATALOG["jobs"] | CATALOG["cronJobs"]).items()
        if (not hook or "phase" not in job) and ("when" not in job or switched[job["when"]])
    }
    needs = {name: list(job["needs"]) for name, job in jobs.items()}
    for name, job in jobs.items():
        for callee in job.get("calls", []):
            yield name, callee, services[callee]["port"]
    for name, entry in services.items():
        has = {"postgres": entry.get("schema"), "redis": entry.get("redis"), "kafka": entry.get("kafka")}
        needs[name] = [dependency for dependency, wanted in has.items() if wanted]
    for name, dependencies in needs.items():
        for dependency in dependencies:
            yield (name, "outside", away[dependency]) if external else (name, dependency, home[dependency])
    if not external:
        yield "kafka", "kafka", 9092
        yield "kafka", "kafka", 9093
    yield "outside", "load-balancer", 8080
    if private_webhooks:
        yield "confirm-service", "outside", 80
        yield "confirm-service", "outside", 443
    if hook:
        yield "credentials", "outside", 443
        yield "credentials", "outside", 6443


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_allowed_is_what_the_catalog_says(profile: str) -> None:
    # An address range for the providers in production is no peer that this evaluator follows; see below.
    assert allowed(render(PROFILES[profile])) == set(
        expected(
            private_webhooks=profile == "dev", synthetic=profile != "production", backup=profile != "dev"
        )
    )


def test_with_everything_external() -> None:
    assert allowed(render(EXTERNAL)) == set(expected(external=True, private_webhooks=False))


def test_a_collector_outside_is_reached_by_every_service_of_ours() -> None:
    tracing = {"endpoint": "http://collector.monitoring:4318"}
    found = allowed(render({"profile": "dev", "observability": {"tracing": tracing}}))
    ours = {name for name, entry in CATALOG["services"].items() if "module" in entry}
    assert found == set(expected(backup=False)) | {(name, "outside", 4318) for name in ours}


def test_under_the_operator_nobody_reaches_the_api_server() -> None:
    assert allowed(render(MANAGED | {"profile": "dev"})) == set(expected(hook=False, backup=False))


def test_the_evaluator_sees_a_hole() -> None:
    objects = render({"profile": "dev"})
    for policy in objects:
        if policy["kind"] == "NetworkPolicy" and policy["metadata"]["name"] == "postgres":
            policy["spec"]["ingress"].append({"ports": [{"protocol": "TCP", "port": 5432}]})
    assert allowed(objects) - set(expected(backup=False)) == {("outside", "postgres", 5432)}


def test_each_pod_is_denied_by_default_and_may_ask_for_names() -> None:
    policies = named(render({"profile": "dev"}), "NetworkPolicy")
    default, dns = policies["default-deny"]["spec"], policies["allow-dns"]["spec"]
    assert default["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & set(default)
    for _, pod in pods(render({"profile": "dev"})):
        assert selects(default["podSelector"], pod["metadata"]["labels"])
        assert selects(dns["podSelector"], pod["metadata"]["labels"])
    (rule,) = dns["egress"]
    assert {(entry["protocol"], entry["port"]) for entry in rule["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert all("to" in rule and peer for peer in rule["to"])


def test_real_providers_are_reached_on_the_internet_only() -> None:
    spec = named(render(PRODUCTION), "NetworkPolicy")["notification-service"]["spec"]
    (rule,) = [rule for rule in spec["egress"] if any("ipBlock" in peer for peer in rule.get("to", []))]
    assert rule["ports"] == [{"protocol": "TCP", "port": 443}]
    blocks = {peer["ipBlock"]["cidr"]: peer["ipBlock"]["except"] for peer in rule["to"]}
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(blocks["0.0.0.0/0"])
    others = [
        n for n, p in named(render(PRODUCTION), "NetworkPolicy").items() if "0.0.0.0/0" in str(p["spec"])
    ]
    assert others == ["notification-service"]


@pytest.mark.parametrize(("webhooks", "ports"), [({}, []), ({"enabled": True}, [443])])
def test_webhooks_reach_the_internet_only_when_they_are_on(
    webhooks: dict[str, Any], ports: list[int]
) -> None:
    spec = named(render(PRODUCTION | {"webhooks": webhooks}), "NetworkPolicy")["confirm-service"]["spec"]
    open_rules = [r for r in spec["egress"] if "to" not in r or any("ipBlock" in p for p in r["to"])]
    assert [entry["port"] for rule in open_rules for entry in rule["ports"]] == ports
    for rule in open_rules:
        assert all("10.0.0.0/8" in p["ipBlock"]["except"] for p in rule["to"] if "." in p["ipBlock"]["cidr"])


def test_webhooks_reach_private_addresses_only_when_both_are_allowed() -> None:
    for webhooks in ({"enabled": False}, {"allowPrivateAddresses": False}):
        objects = render({"profile": "dev", "webhooks": webhooks})
        assert allowed(objects) == set(expected(private_webhooks=False, backup=False))


def test_a_list_on_a_server_is_reached_on_the_internet_only() -> None:
    def reach(**values: Any) -> set[str]:
        policies = named(render(PRODUCTION | values), "NetworkPolicy")
        return {name for name, policy in policies.items() if "0.0.0.0/0" in str(policy["spec"])}

    assert reach(sanctions={"source": "https://lists.example.com/sdn"}) - reach() == {"ofac-service"}


def test_a_node_port_opens_the_dependency() -> None:
    values = {"profile": "dev", "postgres": {"nodePort": 30432}, "redis": {"nodePort": 30379}}
    more = allowed(render(values)) - set(expected())
    assert more == {("outside", "postgres", 5432), ("outside", "redis", 6379)}


def test_switched_off_there_are_none() -> None:
    values = {"profile": "dev", "security": {"networkPolicies": {"enabled": False}}}
    assert named(render(values), "NetworkPolicy") == {}


def test_the_operator_alone_reaches_prometheus_from_outside() -> None:
    operator = MANAGED["operator"] | {"metrics": "payment-operator-metrics.ops:9090"}
    values = {"profile": "dev", "observability": {"prometheus": {"enabled": True}}}
    rules = [
        rule
        for rule in named(render(values | {"operator": operator}), "NetworkPolicy")["prometheus"]["spec"][
            "ingress"
        ]
        if any("namespaceSelector" in peer for peer in rule.get("from", ()))
    ]
    peer = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ops"}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "payment-operator"}},
    }
    assert rules == [{"from": [peer], "ports": [{"protocol": "TCP", "port": 9090}]}]
    own = named(render(values), "NetworkPolicy")["prometheus"]["spec"]["ingress"] or []
    assert all("from" in rule for rule in own)
