from pathlib import Path

import pytest

from hack.kind.settings import MAX_NODES, SettingsError, cache_root, read_settings

HOME = Path("/home/someone")


def test_defaults_leave_shape_and_mode_open() -> None:
    settings = read_settings({}, HOME)
    assert settings.cluster == "payments"
    assert settings.context == "kind-payments"
    assert settings.control_plane == "payments-control-plane"
    assert (settings.nodes, settings.port_offset, settings.airgapped) == (None, None, None)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "/home/someone/.cache/payment-platform"),
        ({"XDG_CACHE_HOME": "/var/cache/me"}, "/var/cache/me/payment-platform"),
        ({"XDG_CACHE_HOME": ""}, "/home/someone/.cache/payment-platform"),
        ({"PAYMENTS_CACHE": "/big/disk", "XDG_CACHE_HOME": "/var/cache/me"}, "/big/disk"),
    ],
)
def test_one_cache_folder(environment: dict[str, str], expected: str) -> None:
    assert cache_root(environment, HOME) == Path(expected)
    assert read_settings(environment, HOME).cache.bin == Path(expected) / "bin"


def test_command_line_wins_over_environment() -> None:
    environment = {"NODES": "2", "PORT_OFFSET": "100", "PAYMENTS_CLUSTER": "one"}
    settings = read_settings(environment, HOME, cluster="two", nodes="3", port_offset="200")
    assert (settings.cluster, settings.nodes, settings.port_offset) == ("two", 3, 200)
    assert read_settings(environment, HOME).nodes == 2


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"NODES": "0"}, "NODES"),
        ({"NODES": str(MAX_NODES + 1)}, "NODES"),
        ({"NODES": "three"}, "NODES"),
        ({"PORT_OFFSET": "-1"}, "PORT_OFFSET"),
        ({"PORT_OFFSET": "60000"}, "PORT_OFFSET"),
        ({"PAYMENTS_AIRGAPPED": "yes"}, "PAYMENTS_AIRGAPPED"),
        ({"PAYMENTS_CLUSTER": "Bad_Name"}, "name"),
        ({"PAYMENTS_CLUSTER": "x; rm -rf /"}, "name"),
    ],
)
def test_senseless_values_are_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        read_settings(environment, HOME)


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("0", False), ("", None)])
def test_airgapped_can_be_forced(text: str, expected: bool | None) -> None:
    assert read_settings({"PAYMENTS_AIRGAPPED": text}, HOME).airgapped is expected
