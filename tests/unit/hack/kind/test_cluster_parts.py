"""Rendering and reading: configuration, pod network, nodes, readiness, loading, node image."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hack.kind import (
    cluster,
    docker,
    kind_config,
    load,
    network,
    node_build,
    node_image,
    nodes,
    readiness,
    rootfs,
    versions,
)
from hack.kind.proc import Failure
from hack.kind.settings import Cache, Settings

STARTED = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def rendered(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "name": "payments",
        "image": "node:1",
        "nodes": 1,
        "port_offset": 0,
        "audit_policy": Path("/cache/audit-policy.yaml"),
        "own_network": True,
    }
    config: dict[str, Any] = json.loads(kind_config.render(**{**arguments, **changes}))
    return config


def container(**changes: Any) -> dict[str, Any]:
    """What `docker inspect` says of a node, as far as it is read."""
    return {
        "Name": "/payments-control-plane",
        "Config": {"Image": "node:1", "Labels": {nodes.ROLE_LABEL: "control-plane"}},
        "State": {"Running": True, "StartedAt": "2026-01-01T12:00:00.123456789Z"},
        "HostConfig": {
            "PortBindings": {
                "30080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18080"}],
                "6443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "35199"}],
            }
        },
        "NetworkSettings": {"Networks": {"kind": {"IPAddress": "172.18.0.2"}}},
        **changes,
    }


def test_first_node_is_the_control_plane_with_all_ports_on_localhost() -> None:
    config = rendered(nodes=3, port_offset=1000)
    roles = [node["role"] for node in config["nodes"]]
    assert roles == ["control-plane", "worker", "worker"]
    mappings = config["nodes"][0]["extraPortMappings"]
    assert {mapping["listenAddress"] for mapping in mappings} == {"127.0.0.1"}
    assert {mapping["hostPort"]: mapping["containerPort"] for mapping in mappings}[9080] == 30080
    assert len(mappings) == 7
    assert all("extraPortMappings" not in node for node in config["nodes"][1:])
    assert {node["image"] for node in config["nodes"]} == {"node:1"}


@pytest.mark.parametrize("own", [True, False])
def test_kinds_own_network_stays_on_unless_the_image_has_none(own: bool) -> None:
    assert rendered(own_network=own)["networking"]["disableDefaultCNI"] is own


def test_audit_log_is_switched_on() -> None:
    node = rendered()["nodes"][0]
    (mount,) = node["extraMounts"]
    (patch,) = map(json.loads, node["kubeadmConfigPatches"])
    arguments = patch["apiServer"]["extraArgs"]
    assert mount["containerPath"] == arguments["audit-policy-file"]
    assert arguments["audit-log-path"] == "/var/log/kubernetes/audit.log"
    mounted = {volume["mountPath"] for volume in patch["apiServer"]["extraVolumes"]}
    for path in (arguments["audit-policy-file"], arguments["audit-log-path"]):
        assert str(Path(path).parent) in mounted


def test_conflist_is_for_the_nodes_own_addresses() -> None:
    config = json.loads(network.conflist("10.244.1.0/24"))
    bridge = config["plugins"][0]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.1.0/24"}]]
    assert bridge["isGateway"]
    assert bridge["hairpinMode"]


def test_each_node_gets_routes_to_all_others_only() -> None:
    all_nodes = [network.NodeNetwork(f"n{i}", f"10.244.{i}.0/24", f"172.18.0.{i}") for i in range(3)]
    script = network.node_script(all_nodes[1], all_nodes)
    routes = [line for line in script.splitlines() if line.startswith("ip route")]
    assert routes == [
        "ip route replace 10.244.0.0/24 via 172.18.0.0",
        "ip route replace 10.244.2.0/24 via 172.18.0.2",
    ]


def test_what_no_service_rule_caught_never_leaves_the_node() -> None:
    node = network.NodeNetwork("n", "10.244.0.0/24", "172.18.0.2")
    assert "iptables -w -I FORWARD -d 10.96.0.0/16 -j REJECT" in network.node_script(node, [node])


def test_nodes_without_pod_addresses_are_waited_for() -> None:
    items = [
        {"metadata": {"name": "a"}, "spec": {"podCIDR": "10.244.0.0/24"}},
        {"metadata": {"name": "b"}, "spec": {}},
    ]
    addresses = {"a": "172.18.0.2", "b": "172.18.0.3"}
    assert network.parse_nodes(items, addresses) is None
    assert network.parse_nodes(items[:1], addresses) == [
        network.NodeNetwork("a", "10.244.0.0/24", "172.18.0.2")
    ]
    assert network.parse_nodes(items[:1], {"a": ""}) is None


def test_container_becomes_a_node() -> None:
    node = nodes.parse(container())
    assert node.name == "payments-control-plane"
    assert node.host_ports == {18080: 30080, 35199: 6443}
    assert node.started == STARTED
    assert node.address == "172.18.0.2"
    assert nodes.port_offset([node]) == 10000


def test_stopped_container_holds_no_ports() -> None:
    state = {"Running": False, "StartedAt": "2026-01-01T12:00:00Z"}
    settings: dict[str, Any] = {"Networks": {"kind": {"IPAddress": ""}}}
    node = nodes.parse(container(State=state, NetworkSettings=settings, HostConfig={"PortBindings": None}))
    assert node.address == ""
    assert nodes.held_ports([nodes.parse(container(State=state))]) == set()
    assert nodes.held_ports([nodes.parse(container())]) == {18080, 35199}
    assert nodes.port_offset([node]) is None


def test_cluster_of_another_shape_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [nodes.parse(container())]
    monkeypatch.setattr(nodes, "read_marker", lambda _: {"nodes": 1})
    cache = Cache(Path("/nowhere"))
    cluster.same_shape(Settings(cache), found)
    cluster.same_shape(Settings(cache, nodes=1, port_offset=10000), found)
    cluster.same_shape(Settings(cache, nodes=3, port_offset=5), [])
    with pytest.raises(Failure, match=r"1 node\(s\), not 3.*make down"):
        cluster.same_shape(Settings(cache, nodes=3), found)
    with pytest.raises(Failure, match="PORT_OFFSET=10000, not 0"):
        cluster.same_shape(Settings(cache, port_offset=0), found)


def test_unfinished_cluster_may_change_its_number_of_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "read_marker", lambda _: None)
    cluster.same_shape(Settings(Cache(Path("/nowhere")), nodes=3), [nodes.parse(container())])


def pod(
    name: str, *, ready: bool = True, began: str = "2026-01-01T12:00:05Z", node: str = "cp"
) -> dict[str, Any]:
    state = {"running": {"startedAt": began}} if began else {"waiting": {"reason": "CrashLoopBackOff"}}
    return {
        "metadata": {"name": name},
        "spec": {"nodeName": node} if node else {},
        "status": {"containerStatuses": [{"ready": ready, "state": state}]},
    }


SYSTEM = [pod("coredns-1"), pod("local-path-provisioner-1"), pod("kube-proxy-1")]


def node_item(ready: str = "True") -> dict[str, Any]:
    return {"metadata": {"name": "cp"}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def test_settled_cluster_waits_for_nothing() -> None:
    assert readiness.unready([node_item()], SYSTEM, {"cp": STARTED}) == []


@pytest.mark.parametrize(
    ("items", "pods", "named"),
    [
        ([node_item("False")], SYSTEM, "cp"),
        ([node_item("Unknown")], SYSTEM, "cp"),
        ([node_item()], SYSTEM[1:], "coredns-…"),
        ([node_item()], [*SYSTEM[1:], pod("coredns-1", ready=False)], "coredns-1"),
        ([node_item()], [*SYSTEM[1:], pod("coredns-1", began="")], "coredns-1"),
        # What the API server remembers from before the node's restart.
        ([node_item()], [*SYSTEM[1:], pod("coredns-1", began="2026-01-01T11:59:59Z")], "coredns-1"),
        ([node_item()], [*SYSTEM, pod("pending", node="")], "pending"),
    ],
)
def test_what_is_not_ready_is_named(
    items: list[dict[str, Any]], pods: list[dict[str, Any]], named: str
) -> None:
    assert readiness.unready(items, pods, {"cp": STARTED}) == [named]


def test_every_node_needs_its_proxy() -> None:
    assert readiness.unready([node_item()], SYSTEM, {"cp": STARTED, "worker": STARTED}) == ["kube-proxy-…"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("redis:8.0.2", "docker.io/library/redis:8.0.2"),
        ("redis", "docker.io/library/redis:latest"),
        ("payment-platform/services:0.1.0-abc", "docker.io/payment-platform/services:0.1.0-abc"),
        ("registry.example.com/a/b:1", "registry.example.com/a/b:1"),
        ("localhost:5000/a:1", "localhost:5000/a:1"),
        ("localhost:5000/a", "localhost:5000/a:latest"),
        ("localhost/a:1", "localhost/a:1"),
    ],
)
def test_full_names_of_images(image: str, expected: str) -> None:
    assert load.full_name(image) == expected


def test_image_counts_as_held_only_with_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = (
        "REF                          TYPE  DIGEST       SIZE PLATFORMS LABELS\n"
        "docker.io/library/redis:8.0.2 v2   sha256:m1    30M  linux/amd64 -\n"
        "docker.io/library/new:1       v2   sha256:m3    30M  linux/amd64 -\n"
        "sha256:id1                    v2   sha256:m1    30M  linux/amd64 -\n"
        "sha256:id2                    v2   sha256:m2    30M  linux/amd64 -\n"
    )
    assert load.parse_store(listing) == {"docker.io/library/redis:8.0.2": "sha256:id1"}
    monkeypatch.setattr(docker, "execute", lambda *_, **__: listing)
    wanted = {"redis:8.0.2": "sha256:id1", "redis:7": "sha256:id2", "new:1": "sha256:id3"}
    assert load.missing("node", wanted) == ["redis:7", "new:1"]
    assert load.missing("node", {"redis:8.0.2": "sha256:other"}) == ["redis:8.0.2"]


def test_every_image_of_kubeadm_has_a_stage() -> None:
    assert node_build.stage_of("registry.k8s.io/pause:3.10.1") == "pause"
    assert node_build.stage_of("registry.k8s.io/coredns/coredns:v1.12.1") == "coredns"
    assert node_build.stage_of("registry.k8s.io/kube-proxy:v1.34.4") == "programs"
    assert node_build.stage_of("docker.io/kindest/local-path-helper:v1") == "programs"
    with pytest.raises(Failure, match="konnectivity"):
        node_build.stage_of("registry.k8s.io/konnectivity:v1")


def test_storage_manifest_is_put_together_from_go_source() -> None:
    source = (
        'const storageProvisionerImage = "example/provisioner:1"\n'
        'const storageHelperImage = "example/helper:2"\n'
        "const defaultStorageManifest = `\nimage: ` + storageProvisionerImage + `\n"
        "args: [` + storageHelperImage + `]\n`\n"
    )
    assert node_build.storage_images(source) == ("example/provisioner:1", "example/helper:2")
    assert node_build.storage_manifest(source) == "\nimage: example/provisioner:1\nargs: [example/helper:2]\n"
    with pytest.raises(Failure, match="storage manifest"):
        node_build.storage_manifest("package nodeimage\n")


def test_node_image_is_named_by_its_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path)
    name = node_image.own_image(cache)
    assert name.startswith(f"payment-platform/kind-node:{versions.KUBERNETES}-")
    assert node_image.own_image(cache) == name
    assert node_image.is_own(name)
    assert not node_image.is_own(versions.PUBLIC_NODE_IMAGE)
    monkeypatch.setitem(rootfs.PACKAGES, "node", (*rootfs.PACKAGES["node"], "vim"))
    assert node_image.own_image(cache) != name


def test_public_image_is_pinned_by_digest_and_of_the_same_minor() -> None:
    name, _, digest = versions.PUBLIC_NODE_IMAGE.partition("@sha256:")
    assert len(digest) == 64
    assert name.rpartition(":")[2].split(".")[:2] == versions.KUBERNETES.split(".")[:2]
