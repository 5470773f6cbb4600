"""risk-service with rules of its own: taken from the file, kept with the assessment, refused when wrong."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hack.dev.stack import Stack
from payments.risk import rules
from tests.integration.conftest import PORT_OFFSET
from tests.integration.risk.test_assessments import question
from tests.support.internal_calls import Calls

ANYTHING: dict[str, Any] = {
    "code": "anything",
    "points": 10,
    "reason": "Anything at all",
    "when": [{"fact": "amount", "op": ">", "value": 0}],
}
STRICT: dict[str, Any] = {
    "mode": "enforce",
    "high": 10,
    "rules": [
        ANYTHING,
        {
            "code": "new_payee",
            "points": 5,
            "reason": "A new payee",
            "decision": "review",
            "mode": "simulate",
            "when": [{"fact": "new_payee", "op": "==", "value": True}],
        },
    ],
}
NEW_PAYEE = {
    "payments_1h": 0,
    "payments_7d": 0,
    "sum_1h": 0,
    "sum_24h": 0,
    "sum_7d": 0,
    "new_payee": True,
}


@pytest.fixture
async def second(risk: Calls, stack: Stack, tmp_path: Path) -> AsyncIterator[Stack]:
    """A second risk-service beside the first, reading its rules from rules.json in its log folder."""
    variables = {
        "RISK_RULES_FILE": str(tmp_path / "rules.json"),
        "KYC_SERVICE_URL": stack.url("kyc-service"),
        "OFAC_SERVICE_URL": stack.url("ofac-service"),
    }
    made = Stack(
        tmp_path / "identity",
        stack.servers,
        offset=PORT_OFFSET + 300,
        log_folder=tmp_path,
        variables=variables,
    )
    made.identity = risk.identity
    yield made
    await asyncio.to_thread(made.stop)


async def test_the_rules_of_the_file_decide(risk: Calls, second: Stack, tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text(json.dumps(STRICT))
    await asyncio.to_thread(second.start, ["risk-service"])
    calls = Calls(second, risk.identity, risk.http, "risk-service", "confirm-service")
    answer: dict[str, Any] = await calls.answer("/assess-risk", question(velocity=NEW_PAYEE))
    assert (answer["risk_score"], answer["risk_level"], answer["decision"]) == (10, "HIGH", "allow")
    assert answer["reasons"] == ["anything"]
    assert answer["simulated"] == {
        "score": 15,
        "level": "HIGH",
        "decision": "review",
        "reasons": ["anything", "new_payee"],
    }
    assert answer["rules_version"] == rules.load(tmp_path / "rules.json").version


async def test_wrong_rules_end_the_process_and_are_named(second: Stack, tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text(json.dumps(STRICT | {"rules": [ANYTHING | {"points": -1}]}))
    second.start_one("risk-service")
    async with asyncio.timeout(30):
        while second.processes.names():
            await asyncio.sleep(0.1)
    told = (tmp_path / "risk-service.log").read_text()
    assert "rule anything: points: must be a whole number from 0 to 1000" in told
    assert "Traceback" not in told
