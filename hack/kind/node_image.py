"""The node image: the public one where a registry answers, else one built here (see node_build.py)."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hack.kind import docker, node_build, registry, rootfs, tools, versions
from hack.kind.locks import locked
from hack.kind.proc import run
from hack.kind.settings import Cache, Settings
from hack.progress import step

HERE = Path(__file__).resolve().parent
PULL_SECONDS = 1800.0
# Files whose change makes another image; the binaries come in by their own hashes.
INPUTS = ("node_build.py", "node/control-plane.Dockerfile", "node/node.Dockerfile", "node/import-images")


def own_image(cache: Cache) -> str:
    """Name of the image that this checkout builds: `…:<kubernetes version>-<hash of inputs>`."""
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update((HERE / name).read_bytes())
    for name in sorted(rootfs.PACKAGES):
        digest.update(rootfs.path(cache, name).name.encode())
    for tool in (*tools.NODE, *tools.CLI):
        digest.update(tools.inputs_hash(tool).encode())
    return f"{versions.OWN_NODE_REPOSITORY}:{versions.KUBERNETES}-{digest.hexdigest()[:12]}"


def is_own(image: str) -> bool:
    """Whether this image was built here (so it has no pod network of its own; see network.py)."""
    return image.startswith(f"{versions.OWN_NODE_REPOSITORY}:")


def ensure(settings: Settings) -> str:
    """The node image to use; pulled or built when it is not there. Raises Failure or CommandFailed."""
    own = own_image(settings.cache)
    public = versions.PUBLIC_NODE_IMAGE
    with step("Node image") as current:
        if settings.airgapped is not True and docker.has_image(public):
            current.done(f"{public} is here")
            return public
        if settings.airgapped is not False and docker.has_image(own):
            current.done(f"{own} is here")
            return own
        if registry.use_registry(settings, public, current):
            current.note(f"pulling {public}")
            run(["docker", "pull", public], timeout=PULL_SECONDS, log=settings.cache.logs / "pull-node.log")
            current.done(f"pulled {public}")
            return public
        current.done("has to be built")
    tools.ensure(settings.cache, tools.NODE, "Node binaries")
    with locked(settings.cache, "node-image"):
        if not docker.has_image(own):
            node_build.build(settings.cache, own)
    return own
