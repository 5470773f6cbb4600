"""The operator's chart, the kustomize overlays and what is generated for them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack import generate
from payment_operator.kinds import PART_LABEL
from payment_operator.settings import Settings
from payment_operator.values import parse, values_of
from tests.contract.chart.helm import render
from tests.contract.operator.test_rights import chart_objects

ROOT = Path(__file__).parents[3]
OVERLAYS = ("dev", "staging", "production")
ENVIRONMENT = "PAYMENT_OPERATOR_"


def platform(overlay: str) -> dict[str, Any]:
    """The PaymentPlatform of an overlay, as written."""
    path = ROOT / "kustomize" / "overlays" / overlay / "platform.yaml"
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


def test_no_generated_file_is_stale() -> None:
    assert generate.main(["--check"]) == 0


def test_a_stale_file_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(generate, "FILES", {"crds/paymentplatforms.yaml": lambda: "other\n"})
    assert generate.main(["--check"]) == 1
    assert "stale: crds/paymentplatforms.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlays_platform_is_valid_and_renders(overlay: str) -> None:
    document = platform(overlay)
    assert document["metadata"]["namespace"] == f"payments-{overlay}"
    objects = render(values_of(parse(document["spec"]), {}))
    services = [
        item
        for item in objects
        if item["kind"] == "Deployment" and PART_LABEL not in item["metadata"]["labels"]
    ]
    assert len(services) == 11


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_builds_with_the_operator_and_one_platform(overlay: str) -> None:
    folder = ROOT / "kustomize" / "overlays" / overlay
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=True
    )
    documents = list(yaml.load_all(done.stdout, Loader=yaml.CSafeLoader))
    kinds = [item["kind"] for item in documents]
    assert kinds.count("PaymentPlatform") == 1
    assert {"CustomResourceDefinition", "Deployment", "ClusterRole", "Namespace"} <= set(kinds)
    namespaces = {item["metadata"]["name"] for item in documents if item["kind"] == "Namespace"}
    placed = {item["metadata"]["namespace"] for item in documents if "namespace" in item["metadata"]}
    assert placed == namespaces


def test_the_sample_has_the_fixed_ports() -> None:
    spec = platform("dev")["spec"]
    assert spec["loadBalancer"] == {"type": "NodePort", "nodePort": 30080}
    assert (spec["postgres"]["nodePort"], spec["redis"]["nodePort"]) == (30432, 30379)
    stack = spec["observability"]
    assert (stack["jaeger"]["nodePort"], stack["prometheus"]["nodePort"]) == (30686, 30909)


def test_the_operators_pod_is_restricted() -> None:
    (deployment,) = [item for item in chart_objects() if item["kind"] == "Deployment"]
    assert deployment["spec"]["replicas"] == 1
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"] == "256Mi"


def test_every_variable_of_the_pod_is_a_setting_and_takes_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    (deployment,) = [
        item for item in chart_objects("--set", "watchNamespaces={a,b}") if item["kind"] == "Deployment"
    ]
    variables = {
        item["name"]: item.get("value", "from its pod")
        for item in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        if item["name"].startswith(ENVIRONMENT)
    }
    assert {name.removeprefix(ENVIRONMENT).lower() for name in variables} <= set(Settings.model_fields)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Settings().watch_namespaces == ("a", "b")
    assert Settings().lease_namespace == "from its pod"


def test_the_chart_has_the_generated_crd() -> None:
    (crd,) = [item for item in chart_objects() if item["kind"] == "CustomResourceDefinition"]
    generated = yaml.safe_load((ROOT / "crds" / "paymentplatforms.yaml").read_text())
    assert json.dumps(crd, sort_keys=True) == json.dumps(generated, sort_keys=True)
