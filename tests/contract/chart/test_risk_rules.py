"""Rules of risk in the values: a file that risk-service accepts, and a rollout when they change."""

import json
from typing import Any, get_args

import pytest

from payment_operator.spec_risk import Condition
from payments.risk import rules
from payments.risk.facts import KINDS
from tests.contract.chart.helm import Refused, environment, named, pods, render, template

RULE: dict[str, Any] = {
    "code": "new_payee_over_1000",
    "points": 20,
    "reason": 'Over 1,000: "new" payee <at all>',
    "when": [
        {"fact": "new_payee", "op": "==", "value": True},
        {"fact": "amount", "op": ">", "value": 2_500_000.5},
        {"fact": "currency", "op": "in", "value": ["USD", "EUR"]},
    ],
}


def values(**risk: Any) -> dict[str, Any]:
    return {"profile": "dev", "risk": risk}


def pod(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = dict(pods(render(given)))["risk-service"]
    return found


def test_the_file_is_what_was_set_and_is_accepted() -> None:
    given = {"mode": "simulate", "high": 40, "rules": [RULE]}
    document = named(render(values(**given)), "ConfigMap")["risk-rules"]["data"]["rules.json"]
    assert json.loads(document) == given
    accepted = rules.read(document)
    assert [rule.code for rule in accepted.simulated] == ["new_payee_over_1000"]
    assert accepted.simulated_high == 40


def test_the_pod_reads_the_file_and_rolls_with_it() -> None:
    first, second = pod(values(high=40)), pod(values(high=41))
    path = environment(first)["RISK_RULES_FILE"]
    (mount,) = [
        mount
        for mount in first["spec"]["containers"][0]["volumeMounts"]
        if path.startswith(mount["mountPath"])
    ]
    (volume,) = [volume for volume in first["spec"]["volumes"] if volume["name"] == mount["name"]]
    assert volume["configMap"]["name"] == "risk-rules"
    assert path == f"{mount['mountPath']}/rules.json"
    notes = [found["metadata"]["annotations"]["paymentplatform.dev/documents"] for found in (first, second)]
    assert notes[0] != notes[1]


def test_nothing_set_is_nothing_mounted() -> None:
    objects = render({"profile": "dev"})
    assert "risk-rules" not in named(objects, "ConfigMap")
    assert "RISK_RULES_FILE" not in environment(dict(pods(objects))["risk-service"])


def test_spec_and_service_know_the_same_words() -> None:
    fields = Condition.model_fields
    assert set(get_args(fields["fact"].annotation)) == set(KINDS)
    known = {op for operators in rules.OPERATORS.values() for op in operators}
    assert set(get_args(fields["op"].annotation)) == known


@pytest.mark.parametrize(
    ("risk", "words"),
    [
        ({"hihg": 3}, "hihg"),
        ({"rules": [RULE | {"weight": 3}]}, "weight"),
        ({"rules": [RULE | {"when": [{"fact": "amont", "op": "==", "value": 1}]}]}, "fact"),
        ({"rules": [{name: RULE[name] for name in ("code", "points", "reason")}]}, "when"),
    ],
)
def test_the_schema_refuses_what_it_can(risk: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        template(values(**risk))
