"""The variables that the chart sets are those that the programs read, by name; and the values are taken."""

import importlib
import re
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from payments import preflight
from payments import topics as topics_job
from payments.contracts.event import TOPICS
from payments.migrate import OWNERS
from payments.migrate import Settings as MigrateSettings
from payments.run import MODULES
from tests.contract.chart.helm import MANAGED, catalog, environment, pods, render
from tests.contract.chart.samples import PRODUCTION, PROFILES

CATALOG = catalog()
SERVICES = {name: entry for name, entry in CATALOG["services"].items() if "module" in entry}
JOBS: dict[str, type[BaseSettings]] = {
    "migrate": MigrateSettings,
    "topics": topics_job.Settings,
    "preflight": preflight.Settings,
}
PROGRAMS = [*SERVICES, *JOBS]


def settings_of(program: str) -> type[BaseSettings]:
    if program in JOBS:
        return JOBS[program]
    module = importlib.import_module(f"payments.{SERVICES[program]['module']}.settings")
    found: type[BaseSettings] = module.Settings
    return found


def variables(program: str, values: dict[str, Any]) -> dict[str, str]:
    """The pod's environment, with 32 bytes of base64url in the place of what comes from a Secret or field."""
    env = environment(dict(pods(render(MANAGED | values)))[program])
    return {name: value if isinstance(value, str) else "A" * 43 for name, value in env.items()}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_program_starts_with_what_the_chart_sets(
    program: str, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in map(str.upper, settings_of(program).model_fields):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables(program, PROFILES[profile]).items():
        monkeypatch.setenv(name, value)
    settings = settings_of(program)()
    if program in SERVICES:
        assert settings.model_dump()["service"] == program
        assert settings.model_dump()["http_port"] == SERVICES[program]["port"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_set_that_nobody_reads(program: str) -> None:
    read = {name.upper() for name in settings_of(program).model_fields}
    # A job's pod carries the same first lines as a service's.
    common = set() if program in SERVICES else {"PLATFORM_PROFILE", "LOG_LEVEL", "POD_NAME"}
    assert set(variables(program, PRODUCTION)) - common <= read


def test_catalog_and_programs_name_the_same() -> None:
    assert {name: entry["module"] for name, entry in SERVICES.items()} == MODULES
    owners = {entry["module"]: entry["schema"] for entry in SERVICES.values() if entry.get("schema")}
    owners |= {name: entry["schema"] for name, entry in CATALOG["cronJobs"].items() if "schema" in entry}
    assert owners == OWNERS
    assert set(CATALOG["topics"]["names"]) == set(TOPICS)
    for name, entry in SERVICES.items():
        kafka = entry.get("kafka", {})
        used = [*kafka.get("produce", []), *kafka.get("consume", [])]
        assert set(used) <= set(TOPICS), name
        assert bool(kafka.get("consume")) == bool(kafka.get("group")), name
        assert re.fullmatch("[a-z_]+", entry["module"])
