"""The synthetic payment: when it is made, and through which entrance."""

import pytest

from tests.contract.chart.helm import MANAGED, RELEASE, environment, named, pods, render
from tests.contract.chart.samples import PRODUCTION, PROFILES

DEV = PROFILES["dev"]


@pytest.mark.parametrize(
    ("interval", "schedule"),
    [("1m", "*/1 * * * *"), ("5m", "*/5 * * * *"), ("59m", "*/59 * * * *"), ("2h", "0 */2 * * *")],
)
def test_the_synthetic_payment_follows_the_values(interval: str, schedule: str) -> None:
    health = {"health": {"syntheticPayment": {"interval": interval}}}
    job = named(render(DEV | health), "CronJob")["payment-path"]
    assert job["spec"]["schedule"] == schedule
    assert job["spec"]["jobTemplate"]["metadata"]["labels"]["paymentplatform.dev/platform"] == RELEASE
    off = {"health": {"syntheticPayment": {"enabled": False}}}
    assert set(named(render(MANAGED | DEV | off), "CronJob")) == {"verification"}
    assert not [name for name in named(render(MANAGED | DEV | off), "Job") if name.startswith("smoke")]
    assert "payment-path" not in named(render(PRODUCTION), "CronJob")
    declared = {"health": {"syntheticPayment": {"enabled": True}}}
    assert "payment-path" in named(render(PRODUCTION | declared), "CronJob")


def test_the_synthetic_payment_trusts_exactly_the_entrances_certificate() -> None:
    entrance = {"type": "LoadBalancer", "ingress": {"tlsSecretName": "tls"}}
    objects = render(DEV | {"loadBalancer": entrance})
    pod = dict(pods(objects))["payment-path"]
    env = environment(pod)
    assert env["SYNTHETIC_URL"] == "https://load-balancer:443"
    (volume,) = [item for item in pod["spec"]["volumes"] if item["name"] == "tls"]
    assert volume["secret"]["items"] == [{"key": "tls.crt", "path": "tls.crt"}]
    assert env["SYNTHETIC_CERTIFICATE"] == "/etc/payment-platform/tls/tls.crt"
    assert (
        environment(dict(pods(render(DEV)))["payment-path"])["SYNTHETIC_URL"] == "http://load-balancer:8080"
    )
