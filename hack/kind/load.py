"""Docker images into the nodes: one archive for all that are missing, nothing for those that are there."""

from __future__ import annotations

import shlex
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hack.kind import docker, nodes
from hack.kind.locks import locked
from hack.kind.proc import Failure, run
from hack.kind.settings import Settings
from hack.progress import step

LOAD_SECONDS = 900.0
NOTICE_SECONDS = 20.0
IMPORT = "ctr --namespace k8s.io images import --all-platforms --snapshotter overlayfs -"


def full_name(image: str) -> str:
    """The name under which containerd keeps a Docker image: with registry, repository and tag.

    Rules of https://pkg.go.dev/github.com/distribution/reference#ParseNormalizedNamed.
    """
    first, slash, _ = image.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        image = f"docker.io/{image}" if slash else f"docker.io/library/{image}"
    return image if ":" in image.rsplit("/", 1)[-1] else f"{image}:latest"


def parse_store(listing: str) -> dict[str, str]:
    """Image name -> Docker image id, from `ctr images list`.

    The container runtime lists each image by its names and by its id (`sha256:…`); they share the column
    DIGEST.
    """
    rows = [line.split()[:3] for line in listing.splitlines()[1:] if len(line.split()) >= 3]
    ids = {digest: name for name, _, digest in rows if name.startswith("sha256:")}
    return {name: ids[digest] for name, _, digest in rows if not name.startswith("sha256:") and digest in ids}


def missing(node: str, wanted: dict[str, str]) -> list[str]:
    """Those of the wanted images (name -> id) that the node does not hold under that name."""
    held = parse_store(docker.execute(node, "ctr", "--namespace", "k8s.io", "images", "list", timeout=60))
    return [image for image, identity in wanted.items() if held.get(full_name(image)) != identity]


def load(settings: Settings, images: list[str]) -> None:
    """Returns when every node holds every image. Raises Failure without the image or without a cluster."""
    with step(f"Loading {len(images)} image(s) into cluster '{settings.cluster}'") as current:
        wanted = {image: docker.image_id(image) for image in images}
        with locked(settings.cache, f"load-{settings.cluster}"):
            names = [node.name for node in nodes.of_cluster(settings.cluster) if node.running]
            if not names:
                raise Failure(f"cluster '{settings.cluster}' does not run; `make up` starts it")
            lacking = {name: absent for name in names if (absent := missing(name, wanted))}
            if not lacking:
                current.done("all there")
                return
            absent = sorted({image for some in lacking.values() for image in some})
            current.note(f"{', '.join(absent)} into {', '.join(lacking)}")
            for name, some in lacking.items():
                _forget(name, some)
            _import(settings, absent, list(lacking))
            _verify(list(lacking), wanted)
        current.done(f"{len(absent)} loaded, {len(images) - len(absent)} were there")


def _forget(node: str, images: list[str]) -> None:
    """Drop names that stand for older images: the runtime notices a new name, but not a name that moves."""
    remove = "ctr --namespace k8s.io images remove --sync " + shlex.join(map(full_name, images))
    docker.execute(node, "sh", "-c", f"{remove} >/dev/null 2>&1; true", timeout=60)


def _import(settings: Settings, images: list[str], names: list[str]) -> None:
    log = settings.cache.logs / "load.log"
    if len(names) == 1:
        script = f"docker save {shlex.join(images)} | docker exec -i {shlex.quote(names[0])} {IMPORT}"
        run(["bash", "-o", "pipefail", "-c", script], timeout=LOAD_SECONDS, log=log)
        return
    settings.cache.work.mkdir(parents=True, exist_ok=True)
    archive = settings.cache.work / f"load-{settings.cluster}.tar"
    try:
        run(["docker", "save", "-o", str(archive), *images], timeout=LOAD_SECONDS)
        with ThreadPoolExecutor(max_workers=2) as pool:
            for future in [pool.submit(_import_archive, archive, name, log) for name in names]:
                future.result()
    finally:
        archive.unlink(missing_ok=True)


def _verify(names: list[str], wanted: dict[str, str]) -> None:
    """Raises Failure when an image did not arrive; the node's runtime notices new ones a moment later."""
    deadline = time.monotonic() + NOTICE_SECONDS
    while lacking := {name: absent for name in names if (absent := missing(name, wanted))}:
        if time.monotonic() > deadline:
            raise Failure(f"loaded, but not found afterwards: {lacking}; run the same command again")
        time.sleep(0.5)


def _import_archive(archive: Path, node: str, log: Path) -> None:
    script = f"docker exec -i {shlex.quote(node)} {IMPORT} < {shlex.quote(str(archive))}"
    run(["bash", "-o", "pipefail", "-c", script], timeout=LOAD_SECONDS, log=log)
