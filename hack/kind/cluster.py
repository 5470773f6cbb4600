"""The kind cluster: made when there is none, recovered when it stands still, else made anew."""

from __future__ import annotations

import shutil
from pathlib import Path

from hack.kind import (
    docker,
    engine,
    kind_config,
    kubectl,
    node_image,
    nodes,
    ports,
    readiness,
    tools,
    versions,
)
from hack.kind.locks import locked
from hack.kind.proc import CommandFailed, Failure, run
from hack.kind.settings import Settings
from hack.progress import say, step

CREATE_SECONDS = 900.0
DELETE_SECONDS = 180.0
START_SECONDS = 60.0


def prepare(settings: Settings) -> None:
    """Sees to what everything begins with: free ports and a running engine.

    Raises Failure (a taken port, a cluster of another shape) and CommandFailed.
    """
    if not _folder(settings).exists() and not engine.answers():
        # No cluster was made here, so no port is ours: told before even the engine is started.
        ports.require_free(settings.port_offset or 0)
    engine.ensure(settings)
    _free_offset(settings, nodes.of_cluster(settings.cluster))


def up(settings: Settings) -> None:
    """Returns when a cluster as asked for is Ready. Repeatable; every step that is done already is skipped.

    Raises Failure (a taken port, a cluster of another shape) and CommandFailed.
    """
    prepare(settings)
    with locked(settings.cache, f"cluster-{settings.cluster}"):
        found = nodes.of_cluster(settings.cluster)
        offset = _free_offset(settings, found)
        tools.ensure(settings.cache, tools.CLI, "Command line tools")
        if found and _recover(settings, found):
            return
        if found:
            _delete(settings)
        _create(settings, len(found) if settings.nodes is None and found else settings.nodes or 1, offset)


def _free_offset(settings: Settings, found: list[nodes.Node]) -> int:
    """What is added to every port of the cluster. Raises Failure when one is taken by something else."""
    same_shape(settings, found)
    offset = settings.port_offset
    if offset is None:
        offset = nodes.port_offset(found) or 0
    ports.require_free(offset, nodes.held_ports(found))
    return offset


def _folder(settings: Settings) -> Path:
    """Files of the cluster, there from before its creation until after its deletion."""
    return settings.cache.kind / settings.cluster


def same_shape(settings: Settings, found: list[nodes.Node]) -> None:
    """Raises Failure when another cluster than the one asked for is there; only the user may delete it."""
    if not found:
        return
    fix = "`make down` deletes it, then `make up` makes the one you want"
    asked = settings.nodes
    if asked is not None and asked != len(found) and nodes.read_marker(settings.control_plane):
        raise Failure(f"cluster '{settings.cluster}' has {len(found)} node(s), not {asked}: {fix}")
    have = nodes.port_offset(found)
    if settings.port_offset is not None and have is not None and settings.port_offset != have:
        raise Failure(
            f"cluster '{settings.cluster}' has PORT_OFFSET={have}, not {settings.port_offset}: {fix}"
        )


def _recover(settings: Settings, found: list[nodes.Node]) -> bool:
    """Brings an existing cluster to Ready; False when it is better made anew."""
    with step(f"Cluster '{settings.cluster}'") as current:
        try:
            if stopped := [node.name for node in found if not node.running]:
                current.note(f"starting {', '.join(stopped)}")
                run(["docker", "start", *stopped], timeout=START_SECONDS)
            marker = nodes.read_marker(settings.control_plane)
            if marker is None or marker.get("nodes") != len(found):
                current.done("was never finished: making it anew")
                return False
            readiness.wait_for_api(settings, current)
            own = node_image.is_own(found[0].image)
            readiness.settle(settings, current, own_network=own)
        except (CommandFailed, Failure) as error:
            current.note(str(error))
            current.done("does not come back: making it anew")
            return False
        if stopped or found[0].image == _wanted_image(settings, found[0].image):
            current.done(f"is Ready ({len(found)} node(s))")
        else:
            current.done(
                f"is Ready ({len(found)} node(s); a newer node image exists, `make down up` takes it)"
            )
    return True


def _wanted_image(settings: Settings, present: str) -> str:
    """The image of the same kind (built here or public) that this checkout would use."""
    return node_image.own_image(settings.cache) if node_image.is_own(present) else versions.PUBLIC_NODE_IMAGE


def _create(settings: Settings, count: int, offset: int) -> None:
    image = node_image.ensure(settings)
    own = node_image.is_own(image)
    folder = _folder(settings)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # A copy, for it is mounted into the node as long as the cluster lives.
    policy = Path(shutil.copy(Path(__file__).with_name("audit-policy.yaml"), folder))
    config = folder / "kind.json"
    config.write_text(
        kind_config.render(
            name=settings.cluster,
            image=image,
            nodes=count,
            port_offset=offset,
            audit_policy=policy,
            own_network=own,
        )
    )
    with step(f"Cluster '{settings.cluster}' ({count} node(s))") as current:
        kubectl.clear_stale_lock()
        log = settings.cache.logs / "kind-create.log"
        current.note(f"kind create cluster (log: {log})")
        command = [
            str(settings.cache.bin / "kind"),
            "create",
            "cluster",
            "--config",
            str(config),
            "--wait",
            "0s",
        ]
        run(command, timeout=CREATE_SECONDS, log=log)
        docker.execute(settings.control_plane, "test", "-s", kind_config.AUDIT_LOG)
        nodes.write_marker(settings.control_plane, {"nodes": count, "port_offset": offset, "image": image})
        readiness.settle(settings, current, own_network=own)
        current.done("is Ready")


def down(settings: Settings) -> None:
    """Deletes the cluster and what a half-made one left. Repeatable."""
    if not engine.answers() and shutil.which("dockerd") is None:
        say("there is no Docker Engine, so there is no cluster")
        return
    engine.ensure(settings)
    with locked(settings.cache, f"cluster-{settings.cluster}"):
        _delete(settings)


def _delete(settings: Settings) -> None:
    with step(f"Deleting cluster '{settings.cluster}'") as current:
        kubectl.clear_stale_lock()
        kind = settings.cache.bin / "kind"
        if kind.exists():
            run(
                [str(kind), "delete", "cluster", "--name", settings.cluster],
                timeout=DELETE_SECONDS,
                check=False,
            )
        if left := [node.name for node in nodes.of_cluster(settings.cluster)]:
            current.note(f"removing {', '.join(left)}")
            run(["docker", "rm", "-f", "-v", *left], timeout=DELETE_SECONDS)
        shutil.rmtree(_folder(settings), ignore_errors=True)


def status(settings: Settings) -> bool:
    """Prints what is there on stdout; True when the cluster is usable."""
    if not engine.answers():
        print("Docker Engine: does not answer")
        return False
    found = nodes.of_cluster(settings.cluster)
    if not found:
        print(f"cluster {settings.cluster}: none")
        return False
    ready = kubectl.api_answers(settings) and nodes.read_marker(settings.control_plane) is not None
    print(f"cluster {settings.cluster}: {'API server answers' if ready else 'API server does not answer'}")
    for node in found:
        print(f"  {node.name}: {'running' if node.running else 'stopped'}, {node.image}")
    for point in ports.ACCESS_POINTS:
        for host in (
            host for node in found for host, inside in node.host_ports.items() if inside == point.node_port
        ):
            print(f"  localhost:{host} -> NodePort {point.node_port} ({point.name})")
    return ready
