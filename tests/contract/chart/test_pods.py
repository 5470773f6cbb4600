"""Every pod, of every profile and of the hook: Pod Security `restricted`, limits, probes, shutdown."""

from typing import Any

import pytest

from tests.contract.chart.helm import Object, catalog, named, pods, render
from tests.contract.chart.samples import EXTERNAL, PROFILES, WATCHED

CASES = {**PROFILES, "external": EXTERNAL, "watched": WATCHED}
SERVICES = catalog()["services"]
# Pod Security Standards, "Restricted": volume types.
VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


@pytest.fixture(params=CASES)
def objects(request: pytest.FixtureRequest) -> list[Object]:
    return render(CASES[request.param])


def restricted_violations(spec: dict[str, Any]) -> list[str]:
    """What Pod Security `restricted` (v1.34) would refuse; kept apart from how the chart makes it."""
    found = []
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            found.append(key)
    for volume in spec.get("volumes", []):
        (kind,) = set(volume) - {"name"}
        if kind not in VOLUMES:
            found.append(f"volume {kind}")
    whole = spec.get("securityContext", {})
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        own = container.get("securityContext", {})
        both = {**whole, **own}
        if both.get("runAsNonRoot") is not True or both.get("runAsUser", 1) == 0:
            found.append("runs as root")
        if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            found.append("seccompProfile")
        if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
            found.append("privileges")
        capabilities = own.get("capabilities", {})
        if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {
            "NET_BIND_SERVICE"
        }:
            found.append("capabilities")
        for port in container.get("ports", []):
            if port.get("hostPort"):
                found.append("hostPort")
    return found


def test_pod_security_restricted(objects: list[Object]) -> None:
    assert {name: restricted_violations(pod["spec"]) for name, pod in pods(objects)} == {
        name: [] for name, _ in pods(objects)
    }


def test_the_check_itself_sees_violations() -> None:
    bare = {
        "containers": [{"name": "x", "ports": [{"hostPort": 1}]}],
        "volumes": [{"name": "h", "hostPath": {}}],
    }
    assert len(restricted_violations(bare | {"hostNetwork": True})) == 7


def test_beyond_restricted(objects: list[Object]) -> None:
    for name, pod in pods(objects):
        spec = pod["spec"]
        (container,) = spec["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
        assert spec["enableServiceLinks"] is False, name
        assert spec["serviceAccountName"] == name
        assert spec["automountServiceAccountToken"] is (name == "credentials"), name
        writable = [m for m in container["volumeMounts"] if not m.get("readOnly")]
        assert "/tmp" in [m["mountPath"] for m in writable], name
        for volume in spec["volumes"]:
            if "emptyDir" in volume:
                assert volume["emptyDir"]["sizeLimit"], f"{name}: {volume['name']} has no bound"


def test_memory_is_bounded_and_cpu_is_not(objects: list[Object]) -> None:
    for name, pod in pods(objects):
        resources = pod["spec"]["containers"][0]["resources"]
        assert set(resources["limits"]) == {"memory"}, name
        assert set(resources["requests"]) == {"cpu", "memory"}, name


def test_every_long_running_container_has_three_probes(objects: list[Object]) -> None:
    for kind in ("Deployment", "StatefulSet"):
        for name, item in named(objects, kind).items():
            container = item["spec"]["template"]["spec"]["containers"][0]
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container), name


def test_services_answer_the_probes_of_the_contract(objects: list[Object]) -> None:
    for name, item in named(objects, "Deployment").items():
        if name not in SERVICES:
            continue
        spec = item["spec"]["template"]["spec"]
        container = spec["containers"][0]
        paths = [
            container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "readiness", "liveness")
        ]
        if name == "load-balancer":
            assert paths == ["/healthz"] * 3
            assert container["lifecycle"]["preStop"]["exec"]
        else:
            assert paths == ["/live", "/ready", "/live"]
            assert spec["terminationGracePeriodSeconds"] == 30
            assert container["command"] == ["python3", "-m", "payments.run"]


def test_a_rolling_update_never_has_fewer_pods(objects: list[Object]) -> None:
    for item in named(objects, "Deployment").values():
        assert item["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_mounts_and_volumes_belong_together(objects: list[Object]) -> None:
    for item in objects:
        if item["kind"] not in ("Deployment", "StatefulSet", "Job"):
            continue
        spec = item["spec"]["template"]["spec"]
        claims = [claim["metadata"]["name"] for claim in item["spec"].get("volumeClaimTemplates", [])]
        volumes = [volume["name"] for volume in spec["volumes"]] + claims
        mounts = [mount["name"] for mount in spec["containers"][0]["volumeMounts"]]
        assert sorted(volumes) == sorted(set(volumes)) == sorted(mounts), item["metadata"]["name"]


def test_service_token_only_where_a_service_calls(objects: list[Object]) -> None:
    with_token = {
        name
        for name, pod in pods(objects)
        for volume in pod["spec"]["volumes"]
        if any("serviceAccountToken" in source for source in volume.get("projected", {}).get("sources", []))
    }
    assert with_token == set(SERVICES) - {"load-balancer"}


def test_pods_of_a_workload_are_spread_over_nodes_and_zones(objects: list[Object]) -> None:
    found = 0
    for item in objects:
        if item["kind"] not in ("Deployment", "StatefulSet"):
            continue
        pod, selector = item["spec"]["template"]["spec"], item["spec"]["selector"]
        # With soft constraints by two keys the scheduler ignores nodes that lack a label, and none is spread.
        (spread,) = pod["topologySpreadConstraints"]
        assert (spread["topologyKey"], spread["labelSelector"]) == ("kubernetes.io/hostname", selector)
        (term,) = pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        assert term["podAffinityTerm"]["topologyKey"] == "topology.kubernetes.io/zone"
        assert term["podAffinityTerm"]["labelSelector"] == selector
        found += 1
    assert found >= len(SERVICES)
