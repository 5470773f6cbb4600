"""The command that sends events once more: what it accepts, and which owners it knows."""

import pytest
import yaml

from hack.dev.catalog import REPOSITORY
from payments.contracts.event import NOTIFICATION_EVENTS, PAYMENT_EVENTS
from payments.replay.__main__ import main
from payments.replay.outbox import SCHEMAS

SINCE = ("--since", "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "required: command"),
        (("dead-letters",), "required: --topic"),
        (("dead-letters", "--topic", "payment-events"), "invalid topic that ends in .dlq value"),
        (("dead-letters", "--topic", "x.dlq", "--limit", "0"), "invalid positive number value"),
        (("outbox", "--service", "risk-service", *SINCE), "choose from"),
        (("outbox", "--service", "kyc-service", "--since", "2026-01-01"), "invalid time with a zone value"),
    ],
)
def test_wrong_arguments_are_told(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert caught.value.code == 2
    assert told in capsys.readouterr().err


def test_missing_connections_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DATABASE_HOST", "DATABASE_USER", "DATABASE_PASSWORD", "KAFKA_BOOTSTRAP_SERVERS"):
        monkeypatch.delenv(name, raising=False)
    assert main(["outbox", "--service", "kyc-service", *SINCE]) == 2
    told = capsys.readouterr().err
    assert "DATABASE_HOST" in told and "KAFKA_BOOTSTRAP_SERVERS" in told
    assert main(["dead-letters", "--topic", "payment-events.dlq"]) == 2


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "Exit codes: 0 done; 1 Kafka" in capsys.readouterr().out


def test_the_owners_are_those_of_the_catalog() -> None:
    catalog = yaml.safe_load((REPOSITORY / "charts/payment-platform/files/catalog.yaml").read_text())
    owners = {
        name: entry["schema"]
        for name, entry in catalog["services"].items()
        if "schema" in entry
        and {PAYMENT_EVENTS, NOTIFICATION_EVENTS} & set(entry.get("kafka", {}).get("produce", []))
    }
    assert owners == SCHEMAS
