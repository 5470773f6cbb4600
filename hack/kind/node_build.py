"""Builds the node image from package registries alone: Go modules and Debian packages."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from hack.kind import rootfs, versions
from hack.kind.proc import Failure, run
from hack.kind.settings import Cache
from hack.progress import Step, step

RECIPE = Path(__file__).resolve().parent / "node"
BUILD_SECONDS = 1200.0
PROGRAMS_IMAGE = "payment-platform/kind-control-plane"
SERVED_BY_PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd")


def build(cache: Cache, image: str) -> None:
    """Builds the air-gapped node image. Every part is cached by its inputs; the name is given last."""
    with step("Root file systems") as current:
        archives = {name: rootfs.ensure(cache, name, current) for name in sorted(rootfs.PACKAGES)}
    scratch = cache.work / "node-image"
    shutil.rmtree(scratch, ignore_errors=True)
    with step("Control-plane images") as current:
        wanted = required_images(cache)
        _control_plane(cache, scratch / "control-plane", archives["control-plane"], wanted, current)
    with step("Node image build") as current:
        _node(cache, scratch / "node", archives["node"], wanted, image, current)
        current.done(image)
    shutil.rmtree(scratch, ignore_errors=True)


def required_images(cache: Cache) -> dict[str, str]:
    """Names of the images that a node must hold -> stage of control-plane.Dockerfile that serves it."""
    command = [
        str(cache.bin / "kubeadm"),
        "config",
        "images",
        "list",
        "--kubernetes-version",
        versions.KUBERNETES,
    ]
    names = run(command, timeout=60).stdout.split()
    return {name: stage_of(name) for name in (*names, *storage_images(_storage_source()))}


def stage_of(image: str) -> str:
    """The stage that serves an image of that name. Raises Failure for one that we cannot make."""
    last = image.rsplit("/", 1)[-1].partition(":")[0]
    if last in ("pause", "coredns"):
        return last
    if last in SERVED_BY_PROGRAMS or last.startswith("local-path-"):
        return "programs"
    raise Failure(f"the cluster asks for an image that node_image.py does not know: {image}")


def _module_folder() -> Path:
    """Kind's source in Go's module cache; it holds the node's own files."""
    described = run(
        ["go", "mod", "download", "-json", f"sigs.k8s.io/kind@{versions.KIND}"], timeout=300
    ).stdout
    return Path(json.loads(described)["Dir"])


def _storage_source() -> str:
    return (_module_folder() / "pkg/build/nodeimage/const_storage.go").read_text()


def storage_images(source: str) -> tuple[str, ...]:
    """The images of kind's default storage, by their Go constants."""
    return tuple(re.findall(r'const storage\w+Image = "([^"]+)"', source))


def storage_manifest(source: str) -> str:
    """kind's default storage manifest, which it keeps as a Go constant that is put together from strings."""
    match = re.search(r"const defaultStorageManifest = `(.*)`\s*\Z", source, re.DOTALL)
    if match is None:
        raise Failure(
            f"kind {versions.KIND} keeps its storage manifest elsewhere; node_image.py has to follow"
        )
    constants = dict(re.findall(r'const (storage\w+Image) = "([^"]+)"', source))
    return re.sub(r"` \+ (\w+) \+ `", lambda found: constants[found[1]], match[1])


def _context(cache: Cache, folder: Path, archive: Path, archive_name: str, binaries: tuple[str, ...]) -> None:
    """A build context of hard links (the cache and its scratch space are one file system)."""
    folder.mkdir(parents=True)
    os.link(archive, folder / archive_name)
    for name in binaries:
        os.link(cache.bin / name, folder / name)


def _control_plane(cache: Cache, folder: Path, archive: Path, wanted: dict[str, str], current: Step) -> None:
    binaries = (*SERVED_BY_PROGRAMS, "local-path-provisioner", "coredns")
    _context(cache, folder, archive, "control-plane.tar", binaries)
    for stage in ("programs", "pause", "coredns"):
        current.note(f"stage {stage}")
        _docker_build(
            cache, folder, "control-plane.Dockerfile", f"{PROGRAMS_IMAGE}:{stage}", ["--target", stage]
        )
    for name, stage in wanted.items():
        run(["docker", "tag", f"{PROGRAMS_IMAGE}:{stage}", name], timeout=30)
    current.done(f"{len(wanted)} names")


def _node(
    cache: Cache, folder: Path, archive: Path, wanted: dict[str, str], image: str, current: Step
) -> None:
    _context(cache, folder, archive, "node.tar", ("kubelet", "kubeadm", "kubectl"))
    shutil.copytree(
        _module_folder() / "images/base/files", folder / "kind-files", copy_function=shutil.copyfile
    )
    for directory, _, _ in os.walk(folder / "kind-files"):
        Path(directory).chmod(0o755)  # Go's module cache is read-only
    (folder / "default-storage.yaml").write_text(storage_manifest(_storage_source()))
    shutil.copy(RECIPE / "import-images", folder)
    pause = next(name for name, stage in wanted.items() if stage == "pause")
    base = f"{versions.OWN_NODE_REPOSITORY}:base"
    arguments = [
        "--build-arg",
        f"KUBERNETES_VERSION={versions.KUBERNETES}",
        "--build-arg",
        f"PAUSE_IMAGE={pause}",
    ]
    current.note("base: Debian, containerd, kubelet, kubeadm")
    _docker_build(cache, folder, "node.Dockerfile", base, arguments)
    current.note(f"putting {len(wanted)} images into its store")
    _store_images(cache, base, tuple(wanted), image)
    run(["docker", "rmi", *wanted], timeout=60, check=False)


def _store_images(cache: Cache, base: str, names: tuple[str, ...], image: str) -> None:
    """Imports images inside a container of the base image and commits it, as kind does for its own."""
    container = "payment-platform-kind-node-build"
    run(["docker", "rm", "-f", container], timeout=60, check=False)
    script = (
        'container=$1 base=$2; shift 2; docker save "$@" | docker run -i --name "$container" '
        '--security-opt seccomp=unconfined --entrypoint /usr/local/bin/import-images "$base"'
    )
    command = ["bash", "-o", "pipefail", "-c", script, "store", container, base, *names]
    log = cache.logs / "node-image.log"
    run(command, timeout=BUILD_SECONDS, log=log)
    entrypoint = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]'
    run(["docker", "commit", "--change", entrypoint, container, image], timeout=BUILD_SECONDS, log=log)
    run(["docker", "rm", "-f", container], timeout=60)


def _docker_build(cache: Cache, folder: Path, file: str, tag: str, arguments: list[str]) -> None:
    # The classic builder: the engine's packages bring no BuildKit.
    command = ["docker", "build", "-t", tag, "-f", str(RECIPE / file), *arguments, str(folder)]
    log = cache.logs / f"docker-build-{file}.log"
    run(command, timeout=BUILD_SECONDS, environment={"DOCKER_BUILDKIT": "0"}, log=log)
