"""Every profile's manifests against the API server itself: unknown fields, types and limits."""

import json
from pathlib import Path

import pytest

from hack.kubectl import Cluster
from hack.up import REPOSITORY
from tests.contract.chart.samples import EXTERNAL, PROFILES
from tests.e2e.test_more_platforms import namespace

SAMPLES = {**PROFILES, "external": EXTERNAL}


@pytest.mark.parametrize("profile", SAMPLES)
def test_the_api_server_takes_the_manifests(cluster: Cluster, profile: str, tmp_path: Path) -> None:
    values = tmp_path / "values.json"
    values.write_text(json.dumps(SAMPLES[profile]))
    server = json.loads(cluster.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    with namespace(cluster, f"e2e-manifests-{profile}") as name:
        manifests = cluster.helm(
            *("template", "shop", str(REPOSITORY / "charts/payment-platform"), "--namespace", name),
            *("--kube-version", server, "--values", str(values)),
        )
        applied = cluster.kubectl(
            *("-n", name, "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"),
            stdin=manifests,
        )
    assert applied.count("serverside-applied") == manifests.count("\nkind: ") > 50
