"""The checks against the platform's catalog and the SQL files beside them."""

from pathlib import Path

import pytest

import payments.verification
from hack.dev.catalog import services
from payments.verification.__main__ import main
from payments.verification.checks import COMMANDS, EVERYTHING
from payments.verification.snapshot import SOURCES

SQL = Path(payments.verification.__file__).parent / "sql"


def test_sources_are_the_catalogs() -> None:
    owners = {service.schema: service.name for service in services().values() if service.schema}
    assert SOURCES.items() <= owners.items()


def test_each_check_has_its_sql_and_each_sql_its_check() -> None:
    assert {path.stem for path in SQL.glob("*.sql")} == {check.name for check in EVERYTHING}
    assert len({check.name for check in EVERYTHING}) == len(EVERYTHING)
    for checks in COMMANDS.values():
        assert set(checks) <= set(EVERYTHING)


@pytest.mark.parametrize("check", EVERYTHING, ids=lambda check: check.name)
def test_sql_is_complete_and_changes_nothing(check: object) -> None:
    (found,) = [item for item in EVERYTHING if item is check]
    for statement in (found.wrong("SELECT 1"), found.count("SELECT 1")):
        assert "{outboxes}" not in statement and "{hash}" not in statement
        assert not {"INSERT", "UPDATE", "DELETE", "CREATE"} & set(statement.split())


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["reconcile", "--since", "2026-01-31T12:00:00"]])
def test_bad_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert "usage: python3 -m payments.verification" in capsys.readouterr().err
