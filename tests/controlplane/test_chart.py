"""The operator's chart by Helm itself: installed, upgraded from the version before, uninstalled.

On an API server of its own, for the other tests' operators live by the same ClusterRole.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.controlplane.api import Api, wait
from hack.controlplane.controllers import Controllers
from hack.controlplane.operators import REPOSITORY, Operator
from hack.controlplane.servers import OPERATOR_NAMESPACE, ControlPlane, built
from tests.controlplane.changes import templates
from tests.controlplane.conftest import FOLDER, Note
from tests.controlplane.test_leaving import CRD, older

CHART = REPOSITORY / "charts/payment-operator"
NAMESPACE = "by-helm"
WORDS = ("payment-operator", "payment-operator-lease", "payment-platforms-edit", "payment-platforms-view")


@pytest.fixture(scope="module")
def own_plane() -> Iterator[ControlPlane]:
    """Without anything that an administrator installs."""
    folder = FOLDER.with_name(f"{FOLDER.name}-chart")
    shutil.rmtree(folder, ignore_errors=True)
    plane = ControlPlane(folder)
    plane.start()
    try:
        yield plane
    finally:
        plane.stop()
        shutil.rmtree(folder / "etcd", ignore_errors=True)


def helm(plane: ControlPlane, *arguments: str) -> str:
    """What Helm says. Raises CalledProcessError."""
    user = ["--kube-apiserver", plane.url, "--kube-ca-file", str(plane.ca), "--kube-token", "token-person"]
    command = [str(built() / "helm"), *arguments, *user, "--namespace", OPERATOR_NAMESPACE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def version_before(folder: Path) -> Path:
    """The chart as one minor version ago: fewer rights, a CRD that knows less."""
    shutil.copytree(CHART, folder)
    about = yaml.safe_load((folder / "Chart.yaml").read_text())
    (folder / "Chart.yaml").write_text(yaml.safe_dump(about | {"version": "0.0.9", "appVersion": "0.0.9"}))
    crd = older(yaml.safe_load((folder / "files/crd.yaml").read_text()))
    (folder / "files/crd.yaml").write_text(yaml.safe_dump(crd))
    rights: dict[str, Any] = json.loads((folder / "files/rights.json").read_text())
    rights["rules"] = [rule for rule in rights["rules"] if rule["apiGroups"] != ["autoscaling"]]
    (folder / "files/rights.json").write_text(json.dumps(rights))
    return folder


def test_10_helm_upgrades_from_the_version_before_and_uninstalls_without_a_stuck_platform(
    own_plane: ControlPlane, tmp_path: Path, note: Note
) -> None:
    before = version_before(tmp_path / "chart")
    with Api(own_plane) as api, Controllers(own_plane):
        began = time.monotonic()
        helm(own_plane, "install", "operator", str(before), "--create-namespace")
        api.namespace(NAMESPACE)

        def declared() -> bool:
            found = api.there("CustomResourceDefinition", "", CRD).get("status", {}).get("conditions") or ()
            return any(item["type"] == "Established" and item["status"] == "True" for item in found)

        wait(declared, 20, "the kind of the version before")
        api.declare(NAMESPACE, services={"otp-service": {"replicas": 2}})
        stored = api.there("PaymentPlatform", NAMESPACE, "payments")
        helm(own_plane, "upgrade", "operator", str(CHART))
        live = api.there("CustomResourceDefinition", "", CRD)
        present = yaml.safe_load((CHART / "files/crd.yaml").read_text())["spec"]["versions"][0]["schema"]
        properties = present["openAPIV3Schema"]["properties"]["spec"]["properties"]
        found = live["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
        assert found.keys() == properties.keys() and "notifications" in found
        assert api.there("PaymentPlatform", NAMESPACE, "payments")["spec"] == stored["spec"]
        groups = [rule["apiGroups"] for rule in api.there("ClusterRole", "", "payment-operator")["rules"][1:]]
        assert ["autoscaling"] in groups, "the rights of the present version"
        with Operator(own_plane, number=0, namespaces=[NAMESPACE]):
            wait(lambda: api.is_ready(NAMESPACE), 180, "Ready by the operator of the present version")
        pods = templates(api, NAMESPACE)
        status = api.there("PaymentPlatform", NAMESPACE, "payments")["status"]
        # Once more, as an administrator who changes a value does: nothing of the platform changes, and the
        # operator reads this one again while it runs.
        itself = api.there("Deployment", OPERATOR_NAMESPACE, "payment-operator")["metadata"]["generation"]
        helm(own_plane, "upgrade", "operator", str(CHART), "--set", "logLevel=DEBUG")
        assert templates(api, NAMESPACE) == pods
        mounted = api.there("ConfigMap", OPERATOR_NAMESPACE, "payment-operator-defaults")["data"]
        assert mounted == {"log-level": "DEBUG"}
        deployment = api.there("Deployment", OPERATOR_NAMESPACE, "payment-operator")
        assert deployment["metadata"]["generation"] == itself
        helm(own_plane, "uninstall", "operator")
        left = [name for name in WORDS if api.get("ClusterRole", "", name)]
        assert left == [], "only the kind stays"
        platform = api.there("PaymentPlatform", NAMESPACE, "payments")
        assert (platform["spec"], platform["status"]) == (stored["spec"], status)
        assert "finalizers" not in platform["metadata"] and templates(api, NAMESPACE) == pods
        # With the operator gone there is nobody who could let go of it.
        api.delete("PaymentPlatform", NAMESPACE, "payments")
        assert api.get("PaymentPlatform", NAMESPACE, "payments") is None
        helm(own_plane, "install", "operator", str(CHART))
        assert api.there("CustomResourceDefinition", "", CRD)["metadata"]["uid"] == live["metadata"]["uid"]
    took = time.monotonic() - began
    note(
        f"0.0.9 installed, upgraded twice, uninstalled and installed again by Helm in {took:.0f} s; no pod "
        f"template of {len(pods)} changed, the platform kept and not stuck"
    )
