"""Documents of rules: what is accepted, what is refused and how it is told, and their versions."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from payments.risk import rules
from payments.risk.facts import KINDS, FactError, Facts, read

FACTS = Facts(Decimal("100.50"), "USD", True, "clear", 3, country="US", payments_1h=100, new_payee=False)


def rule(**changes: Any) -> dict[str, Any]:
    whole = {
        "code": "busy",
        "points": 20,
        "reason": "Too many payments",
        "when": [{"fact": "payments_1h", "op": ">", "value": 10}],
    } | changes
    return {name: value for name, value in whole.items() if value is not ...}


def document(*given: Any, **more: Any) -> str:
    return json.dumps({"rules": list(given), **more})


def when(fact: Any, op: Any, value: Any, **more: Any) -> dict[str, Any]:
    return rule(when=[{"fact": fact, "op": op, "value": value, **more}])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "the document is no JSON"),
        ("[]", "the document: must be an object"),
        ('{"rules": NaN}', "NaN is no number"),
        ('{"high": 1, "high": 2}', "a member stands twice"),
        (document(rule(), hihg=3), "the document: unknown field 'hihg'"),
        (document(rule(), mode="off"), "mode: must be enforce or simulate"),
        (document(rule(), high=0), "high: must be a whole number from 1"),
        (document(), "rules: must be a list of 1 to 200"),
        (document("x"), "rule number 1: must be an object"),
        (document(rule(code=...)), "rule number 1: code is missing"),
        (document(rule(), rule(points=...)), "rule busy: points is missing"),
        (document(rule(), rule()), "rule busy: code: stands twice"),
        (document(rule(code="Too Busy")), "rule Too Busy: code: must be lower-case words"),
        (document(rule(points="20")), "rule busy: points: must be a whole number from 0 to 1000"),
        (document(rule(points=True)), "rule busy: points: must be a whole number"),
        (document(rule(points=1.5)), "rule busy: points: must be a whole number"),
        (document(rule(reason="")), "rule busy: reason: must be a text of 1 to 200"),
        (document(rule(decision="allow")), "rule busy: decision: must be review or refuse"),
        (document(rule(mode="maybe")), "rule busy: mode: must be enforce or simulate"),
        (document(rule(weight=3)), "rule busy: unknown field 'weight'"),
        (document(rule(when=[])), "rule busy: when: must be a list of 1 to 10"),
        (document(rule(when=["x"])), "rule busy: when[0]: must be an object"),
        (document(when("amont", ">", 1)), "rule busy: when[0]: fact: there is no 'amont'"),
        (document(when("amount", "in", [1])), "rule busy: when[0]: op: for amount it must be one of > >="),
        (document(when("amount", ">", "5000")), "rule busy: when[0]: value: must be a number"),
        (document(when("verified", "==", 1)), "rule busy: when[0]: value: must be true or false"),
        (document(when("payments_1h", ">", 100)), "counts end at 100"),
        (document(when("country", "in", [])), "rule busy: when[0]: value: must be a list of 1 to 500"),
        (document(when("country", "in", [1])), "rule busy: when[0]: value: must be a text"),
        (document(when("country", "==", "US", unit="x")), "rule busy: when[0]: unknown field 'unit'"),
    ],
)
def test_a_refusal_names_the_rule_and_the_field(text: str, told: str) -> None:
    with pytest.raises(rules.RulesError) as caught:
        rules.read(text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("fact", "op", "value", "applies"),
    [
        ("amount", ">", 100.5, False),
        ("amount", ">=", 100.5, True),
        ("amount", "<", 100.51, True),
        ("amount", "<=", 100, False),
        ("amount", "==", 100.50, True),
        ("amount", "!=", 100.50, False),
        ("payments_1h", ">", 99, True),
        ("payments_1h", ">=", 100, True),
        ("country", "==", "US", True),
        ("country", "in", ["DE", "US"], True),
        ("country", "not_in", ["DE"], True),
        ("new_payee", "==", False, True),
        ("kyc_level", "!=", "full", False),  # not known
    ],
)
def test_every_operator_compares(fact: str, op: str, value: Any, applies: bool) -> None:
    (found,) = rules.read(document(when(fact, op, value))).enforced
    assert found.applies(FACTS) is applies


def test_every_fact_can_be_asked_for() -> None:
    values: dict[str, tuple[str, Any]] = {
        "number": (">", 1.5),
        "count": (">", 1),
        "text": ("==", "x"),
        "truth": ("==", True),
    }
    given = [when(fact, *values[kind]) | {"code": fact} for fact, kind in KINDS.items()]
    assert len(rules.read(document(*given)).enforced) == len(KINDS)


def test_all_conditions_of_a_rule_must_hold() -> None:
    conditions = [
        {"fact": "amount", "op": ">", "value": 1},
        {"fact": "new_payee", "op": "==", "value": True},
    ]
    (found,) = rules.read(document(rule(when=conditions))).enforced
    assert not found.applies(FACTS)


def test_the_version_is_of_the_content_not_of_the_layout() -> None:
    text = document(rule(), high=70)
    spaced = json.dumps(json.loads(text), indent=4, sort_keys=True)
    assert rules.read(text).version == rules.read(spaced).version
    versions = {
        rules.read(given).version
        for given in (None, text, document(rule(), high=71), document(rule(points=21), high=70))
    }
    assert len(versions) == 4 and all(len(version) == 12 for version in versions)


def test_what_is_left_out_is_as_built_in() -> None:
    builtin, changed = rules.read(), rules.read('{"high": 40}')
    assert changed.enforced == builtin.enforced
    assert (changed.high, builtin.high) == (40, 50)
    assert rules.read("{}") == builtin


def test_the_original_s_points_stand_in_the_built_in_rules() -> None:
    points = {found.code: found.points for found in rules.read().enforced}
    assert points == {
        "amount_over_5000": 30,
        "amount_over_10000": 20,
        "more_than_5_payments_in_24h": 25,
        "sanctioned": 100,
        "kyc_not_verified": 40,
        "amount_over_review_limit": 0,
    }


def test_a_file_replaces_them(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    path.write_text(document(rule()))
    assert [found.code for found in rules.load(path).enforced] == ["busy"]
    with pytest.raises(OSError):
        rules.load(tmp_path / "none.json")


def test_stored_facts_are_read_back_as_they_were() -> None:
    assert read(json.loads(json.dumps(FACTS.known()))) == FACTS


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"amount": "much"}, "amount: must be a number"),
        ({"amount": "NaN"}, "amount: must be a number"),
        ({"amount": 1.5}, "amount: must be a number"),
        ({"verified": "yes"}, "verified: must be a truth"),
        ({"payments_24h": "3"}, "payments_24h: must be a count"),
        ({"sanctions": "maybe"}, "sanctions: must be clear, possible_match or match"),
        ({"colour": "red"}, "unknown facts: colour"),
    ],
)
def test_wrong_facts_are_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(FactError, match=told):
        read(FACTS.known() | changes)
