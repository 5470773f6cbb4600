"""Of the services that run, two are replaced at a time; nothing else waits."""

from typing import Any

from payment_operator.kinds import Ref
from payment_operator.manifest import Manifest
from payment_operator.turns import AT_ONCE, turns
from tests.unit.operator.builders import Object, applied, by_ref, wanted

SERVICES = ("account", "audit", "gateway", "kyc", "otp")


def template(image: str, **more: Any) -> Object:
    return {"spec": {"containers": [{"name": "a", "image": image} | more]}}


def service(name: str, image: str = "new", **spec: Any) -> Manifest:
    return wanted("Deployment", name, 3, spec={"template": template(image)} | spec)


def running(name: str, image: str = "old", *, ready: bool = True, stuck: bool = False) -> Object:
    """As the API server has it, with a default that we do not name."""
    live = applied(service(name, image))
    live["spec"] |= {"replicas": 1, "template": template(image, terminationMessagePath="/dev/log")}
    counts = {
        "updatedReplicas": 1,
        "availableReplicas": int(ready),
        "readyReplicas": int(ready),
        "replicas": 1,
    }
    progressing = {"type": "Progressing", "status": "False" if stuck else "True"}
    live["status"] = counts | {"observedGeneration": 1, "conditions": [progressing]}
    return live


def chosen(manifests: list[Manifest], live: dict[Ref, Object]) -> list[str]:
    return [item.ref.name for item in turns(manifests, live)]


def test_two_services_roll_at_a_time() -> None:
    new = [service(name) for name in SERVICES]
    live = by_ref(*(running(name) for name in SERVICES))
    assert chosen(new, live) == ["account", "audit"] and AT_ONCE == 2
    live |= by_ref(running("account", "new", ready=False), running("audit", "new", ready=False))
    assert chosen(new[2:], live) == []
    live |= by_ref(running("audit", "new"))
    assert chosen(new[2:], live) == ["gateway"]
    live |= by_ref(running("account", "new"))
    assert chosen(new[2:], live) == ["gateway", "kyc"]


def test_what_is_missing_broken_or_rolls_nothing_waits_for_nobody() -> None:
    live = by_ref(*(running(name) for name in SERVICES))
    live |= by_ref(running("account", ready=False), running("audit", ready=False))
    config, more = wanted("ConfigMap", "files", 0), service("gateway", "old", replicas=3)
    everything = [config, service("account"), service("audit"), service("fresh"), more, service("kyc")]
    assert chosen(everything, live) == ["files", "account", "audit", "fresh", "gateway"]


def test_one_that_is_stuck_holds_up_nobody() -> None:
    live = by_ref(*(running(name) for name in SERVICES))
    live |= by_ref(running("account", "new", ready=False, stuck=True), running("audit", "new", ready=False))
    assert chosen([service("gateway"), service("kyc")], live) == ["gateway"]
