"""Every alert fires when it should and is quiet when it should be, by promtool; and tells what to do."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.observability.cases import CASES, Case
from tests.support.promtool import REPOSITORY, ensure_images, promtool

ALERTS = REPOSITORY / "charts/payment-platform/alerts"
SEVERITIES = {"critical", "warning"}


def rules() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(ALERTS.glob("*.yaml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield file.stem, rule


ALERTING = {rule["alert"]: rule for _, rule in rules() if "alert" in rule}
FILES = {rule["alert"]: file for file, rule in rules() if "alert" in rule}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules, and for each of their files the cases of its alerts, where promtool can read them."""
    ensure_images("prometheus")
    folder: Path = tmp_path_factory.mktemp("rules")
    folder.chmod(0o755)
    for file in ALERTS.glob("*.yaml"):
        shutil.copy(file, folder)
        tests = [as_test(case) for case in CASES if FILES[case.alert] == file.stem]
        document = {"rule_files": [file.name], "evaluation_interval": "1m", "tests": tests}
        (folder / f"{file.stem}.test").write_text(yaml.safe_dump(document))
    return folder


def as_test(case: Case) -> dict[str, Any]:
    """A case as promtool takes it."""
    firing = f'count(ALERTS{{alertname="{case.alert}",alertstate="firing"}}) or vector(0)'
    samples = [{"labels": "{}", "value": case.firing}]
    return {
        "name": f"{case.alert} fires {case.firing} times at {case.at} {case.why}".strip(),
        "interval": "1m",
        "input_series": [{"series": name, "values": text} for name, text in case.series.items()],
        "promql_expr_test": [{"expr": firing, "eval_time": case.at, "exp_samples": samples}],
    }


def test_the_rules_are_valid(folder: Path) -> None:
    promtool("check", "rules", *sorted(file.name for file in folder.glob("*.yaml")), folder=folder)


def test_every_alert_fires_and_is_quiet_as_it_should(folder: Path) -> None:
    promtool("test", "rules", *sorted(file.name for file in folder.glob("*.test")), folder=folder)
    print(  # noqa: T201
        f"{len(CASES)} cases of {len(ALERTING)} alerts"
    )


def test_every_alert_is_tested_both_ways() -> None:
    fires = {case.alert for case in CASES if case.firing}
    quiet = {case.alert for case in CASES if not case.firing}
    assert fires == quiet == set(ALERTING)


@pytest.mark.parametrize("name", sorted(ALERTING))
def test_every_alert_tells_what_to_do(name: str) -> None:
    rule = ALERTING[name]
    assert rule["labels"]["severity"] in SEVERITIES
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert 10 < len(notes["summary"]) <= 120 and 40 < len(notes["description"]) <= 300
    assert notes["description"].endswith(".") and not notes["summary"].endswith(".")
    page = (REPOSITORY / notes["runbook_url"]).read_text()
    for heading in ("## Meaning", "## Look at", "## Fix"):
        assert heading in page, f"{notes['runbook_url']} has no {heading}"
    assert f"`{name}`" in page, f"{notes['runbook_url']} does not name {name}"
    fix = page.partition("## Fix")[2]
    assert re.search(r"(?m)^ {4,}\S|^```", fix), f"{notes['runbook_url']} has no command in its Fix"


def test_every_runbook_belongs_to_an_alert() -> None:
    named = {rule["annotations"]["runbook_url"] for rule in ALERTING.values()}
    present = {str(file.relative_to(REPOSITORY)) for file in (REPOSITORY / "hack/runbooks").glob("*.md")}
    assert present == named
