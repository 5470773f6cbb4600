"""The command that shows what other rules would change."""

import json
from pathlib import Path
from typing import Any

import pytest

from payments.risk import rules
from payments.risk.simulate import main

RULES = {
    "rules": [
        {
            "code": "new_payee",
            "points": 60,
            "reason": "New payee",
            "when": [{"fact": "new_payee", "op": "==", "value": True}],
        }
    ]
}


def facts(**changes: Any) -> dict[str, Any]:
    return {
        "amount": "10.00",
        "currency": "USD",
        "verified": True,
        "sanctions": "clear",
        "payments_24h": 0,
        "new_payee": False,
    } | changes


def run(folder: Path, lines: list[Any], given: Any = RULES) -> int:
    (folder / "rules.json").write_text(json.dumps(given))
    (folder / "facts.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return main(["--rules", str(folder / "rules.json"), "--facts", str(folder / "facts.jsonl")])


def test_it_shows_each_payment_that_would_be_decided_differently(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        facts(),
        {"id": "p2", "facts": facts(new_payee=True)},
        facts(new_payee=True, amount="20000"),
        facts(amount="20000"),
    ]
    assert run(tmp_path, lines) == 0
    version = rules.load(tmp_path / "rules.json").version
    assert capsys.readouterr().out.splitlines() == [
        f"rules {rules.read().version} -> {version}",
        "p2: allow/LOW 0 -> allow/HIGH 60 (+new_payee)",
        "line 4: allow/HIGH 50 -> allow/LOW 0 (-amount_over_5000, -amount_over_10000)",
        "4 payments, 2 decided differently",
        "         1  allow/LOW -> allow/HIGH",
        "         1  allow/HIGH -> allow/LOW",
    ]


def test_simulated_rules_count_as_they_would_in_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulated = RULES | {"mode": "simulate"}
    assert run(tmp_path, [facts(new_payee=True)], simulated) == 0
    assert "1 payments, 1 decided differently" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lines", "given", "told"),
    [
        ([facts(amount="x")], RULES, "line 1 of the facts: amount: must be a number"),
        ([facts(), "x"], RULES, "line 2 of the facts: must be a JSON object"),
        ([facts()], {"high": "much"}, "rules.json: high: must be a whole number"),
    ],
)
def test_what_cannot_be_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[Any], given: Any, told: str
) -> None:
    assert run(tmp_path, lines, given) == 1
    assert told in capsys.readouterr().err
