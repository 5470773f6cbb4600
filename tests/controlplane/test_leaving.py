"""What comes and goes around platforms: a new CRD and operator, and the end of both."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from hack.controlplane.api import Api, wait
from hack.controlplane.collector import Collector
from hack.controlplane.operators import Operator
from hack.controlplane.servers import ControlPlane
from payment_operator.kinds import CHILDREN
from tests.controlplane.changes import children, templates
from tests.controlplane.conftest import Note

CRD = "paymentplatforms.paymentplatform.dev"


@pytest.fixture(scope="module")
def platforms(plane: ControlPlane, api: Api) -> Sequence[str]:
    """The namespaces of two platforms that an operator made Ready before it ended."""
    namespaces = ("leaving-crd", "leaving-children")
    for name in namespaces:
        api.namespace(name)
        api.declare(name, services={"otp-service": {"replicas": 2}})
    with Operator(plane, number=0, namespaces=namespaces):
        for name in namespaces:
            wait(partial(api.is_ready, name), 180, f"{name} Ready")
    return namespaces


def older(crd: dict[str, Any]) -> dict[str, Any]:
    """The CRD as a version would have had it that did not know `spec.notifications` yet."""
    version = crd["spec"]["versions"][0]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"].pop("notifications")
    # Rules that speak of it came with it.
    spec["x-kubernetes-validations"] = [
        rule for rule in spec.get("x-kubernetes-validations", []) if "notifications" not in rule["rule"]
    ]
    return crd


def test_a_new_crd_keeps_what_is_stored_and_uninstalling_leaves_nothing_stuck(
    plane: ControlPlane, api: Api, platforms: Sequence[str], note: Note
) -> None:
    platform = platforms[0]
    live = api.there("CustomResourceDefinition", "", CRD)
    present = {"apiVersion": live["apiVersion"], "kind": live["kind"], "spec": live["spec"]}
    present["metadata"] = {"name": CRD, "annotations": live["metadata"].get("annotations", {})}
    assert present["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    stored, before = api.there("PaymentPlatform", platform, "payments"), templates(api, platform)
    api.replace(older(api.there("CustomResourceDefinition", "", CRD)))
    spec = {"notifications": {"sms": {"provider": "sandbox"}}}

    def known() -> bool:
        answer = api.patch("PaymentPlatform", platform, "payments", {"spec": spec})
        return "notifications" in answer["spec"]

    wait(lambda: not known(), 20, "the older CRD")
    api.apply(present)
    wait(known, 20, "the present CRD")
    api.patch("PaymentPlatform", platform, "payments", {"spec": {"notifications": None}})
    after = api.there("PaymentPlatform", platform, "payments")
    assert after["spec"] == stored["spec"]
    assert after["status"] == stored["status"]
    assert "finalizers" not in after["metadata"]
    with Operator(plane, number=1, namespaces=[platform]):
        wait(lambda: api.is_ready(platform), 180, "Ready with the next operator")
        assert templates(api, platform) == before
    # The operator is gone; so nobody could take a finalizer off.
    api.delete("PaymentPlatform", platform, "payments")
    assert api.get("PaymentPlatform", platform, "payments") is None
    note(f"spec and status kept, no pod template of {len(before)} changed, gone at once without an operator")


def test_12_a_deleted_platform_takes_its_children_along_without_an_operator(
    plane: ControlPlane, api: Api, platforms: Sequence[str], note: Note
) -> None:
    platform = platforms[1]
    owner = api.there("PaymentPlatform", platform, "payments")["metadata"]["uid"]
    found = children(api, platform)
    for item in found.values():
        assert [reference["uid"] for reference in item["metadata"]["ownerReferences"]] == [owner]
    with Collector(plane):
        api.delete("PaymentPlatform", platform, "payments")
        took = wait(lambda: not children(api, platform), 60, "the children gone", pause=0.5)
    left = [
        item["metadata"]["name"]
        for kind in CHILDREN
        for item in api.list(kind.kind, platform)
        if any(reference["uid"] == owner for reference in item["metadata"].get("ownerReferences", []))
    ]
    assert left == []
    note(f"{len(found)} children gone {took:.1f} s after the platform, by Kubernetes' garbage collector")
