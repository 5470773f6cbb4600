"""The manifests of each profile, whole. `UPDATE_GOLDEN=1` writes them anew; a person reads the diff."""

import json
import os
from pathlib import Path

import pytest
import yaml

from tests.contract.chart.helm import CHART, KUBE_VERSIONS, run, template
from tests.contract.chart.samples import EXTERNAL, PROFILES, WATCHED

GOLDEN = Path(__file__).parent / "golden"
# ConfigMap -> folder of the files that it carries.
SOURCES = {
    "load-balancer": "files/nginx",
    "prometheus": "alerts",
    "search": "files/opensearch",
    "grafana": "dashboards",
}
SOURCES |= dict.fromkeys(("backup", "restore", "restore-check"), "files/backup")
CASES = {**PROFILES, "external": EXTERNAL, "watched": WATCHED}
# Files that templates write are read as they are.
GENERATED = {"prometheus.yml", "config.yaml", "dashboards.yml", "datasources.yaml", "providers.yaml"}


def text(case: str, kube: str) -> str:
    objects = [doc for doc in yaml.safe_load_all(template(CASES[case], kube=kube)) if doc]
    for item in objects:
        for name in item.get("data", {}):
            if name in GENERATED or item["metadata"]["name"] == "log-levels":
                continue
            # Scripts are read as scripts, not once more as strings in YAML.
            owner = item["metadata"]["name"]
            file = next((CHART / SOURCES.get(owner, f"files/{owner}")).glob(name))
            assert item["data"][name].strip() == file.read_text().strip()
            item["data"][name] = f"the file {file.relative_to(CHART)}"
    for item in objects:
        # Dashboards and alerts are read where they are; the hash that rolls the pod follows their words.
        if item["metadata"]["name"] in ("grafana", "prometheus") and "template" in item.get("spec", {}):
            item["spec"]["template"]["metadata"]["annotations"]["paymentplatform.dev/files"] = "HASH"
    objects.sort(key=lambda item: (item["kind"], item["metadata"]["name"]))
    whole = yaml.safe_dump_all(objects, sort_keys=True, width=120)
    # Which version of a database runs is the business of images.json alone.
    for image in json.loads((CHART / "files" / "images.json").read_text()).values():
        if "tag" in image:
            whole = whole.replace(f"{image['repository']}:{image['tag']}", f"{image['repository']}:TAG")
    return whole


@pytest.mark.parametrize("kube", KUBE_VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_the_manifests_are_those_reviewed(case: str, kube: str) -> None:
    file = GOLDEN / f"{case}.yaml"
    rendered = text(case, kube)
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(rendered)
    assert rendered == file.read_text(), f"{file.name} differs: read the diff, then run with UPDATE_GOLDEN=1"


@pytest.mark.parametrize("case", CASES)
def test_a_render_is_repeatable(case: str) -> None:
    assert text(case, "1.34.0") == text(case, "1.34.0")


@pytest.mark.parametrize("case", CASES)
def test_helm_lint_finds_nothing(case: str) -> None:
    assert "0 chart(s) failed" in run("lint", str(CHART), "--kube-version", "1.34.0", values=CASES[case])
