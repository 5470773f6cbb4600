"""Levels of the logs: files in a ConfigMap that pods read again, so that nothing rolls when they change."""

from typing import Any

import pytest

from payments.common.logs import LEVELS
from tests.contract.chart.helm import MANAGED, Object, Refused, environment, named, pods, render, template
from tests.contract.chart.samples import PROFILES, merged
from tests.contract.chart.test_settings import SERVICES

NAME = "log-levels"
DEV: dict[str, Any] = {"profile": "dev"}


def levels(values: dict[str, Any]) -> dict[str, str]:
    """By service."""
    found: dict[str, str] = named(render(values), "ConfigMap")[NAME]["data"]
    return found


def without_levels(values: dict[str, Any]) -> list[Object]:
    """Everything else."""
    return [item for item in render(values) if item["metadata"]["name"] != NAME]


@pytest.mark.parametrize("profile", PROFILES)
def test_each_service_finds_its_level_in_a_mounted_file(profile: str) -> None:
    objects = render(PROFILES[profile])
    files = named(objects, "ConfigMap")[NAME]["data"]
    assert files == dict.fromkeys(SERVICES, "INFO")
    for name in SERVICES:
        pod = dict(pods(objects))[name]
        folder, _, key = environment(pod)["LOG_LEVEL_FILE"].rpartition("/")
        assert key == name
        (container,) = pod["spec"]["containers"]
        (mount,) = [mount for mount in container["volumeMounts"] if mount["mountPath"] == folder]
        # A subPath would never be renewed.
        assert mount == {"name": mount["name"], "mountPath": folder, "readOnly": True}
        (volume,) = [volume for volume in pod["spec"]["volumes"] if volume["name"] == mount["name"]]
        assert volume["configMap"] == {"name": NAME, "defaultMode": 0o444}


@pytest.mark.parametrize("managed", [{}, MANAGED], ids=["helm", "operator"])
def test_another_level_changes_nothing_but_the_files(managed: dict[str, Any]) -> None:
    base = merged(DEV, managed)
    chosen = {
        "observability": {"logs": {"level": "WARNING"}},
        "services": {"confirm-service": {"logLevel": "DEBUG"}},
    }
    changed = merged(base, chosen)
    expected = dict.fromkeys(SERVICES, "WARNING") | {"confirm-service": "DEBUG"}
    assert levels(changed) == expected
    assert without_levels(changed) == without_levels(base)


def test_a_level_among_the_variables_counts_where_no_other_is_set_for_the_service() -> None:
    env = [{"name": "LOG_LEVEL", "value": "DEBUG"}]
    values = DEV | {
        "services": {"kyc-service": {"env": env}, "otp-service": {"env": env, "logLevel": "ERROR"}}
    }
    found = levels(values)
    assert (found["kyc-service"], found["otp-service"], found["risk-service"]) == ("DEBUG", "ERROR", "INFO")


@pytest.mark.parametrize("wrong", ["debug", "TRACE", "", 10])
def test_what_is_no_level_is_refused(wrong: object) -> None:
    for values in (
        {"observability": {"logs": {"level": wrong}}},
        {"services": {"kyc-service": {"logLevel": wrong}}},
    ):
        with pytest.raises(Refused, match="DEBUG|string"):
            template(DEV | values)


def test_the_services_know_all_levels_that_can_be_declared() -> None:
    for level in LEVELS:
        declared = {"observability": {"logs": {"level": level}}}
        assert set(levels(DEV | declared).values()) == {level}
