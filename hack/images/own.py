"""Our own two images, from the sources of this working tree and their hash-locked dependencies."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from hack.images import digest, docker, staging, wheels
from hack.images.catalog import REPOSITORY, Image
from hack.kind.proc import Failure
from hack.kind.settings import Cache
from hack.progress import step

DOCKERFILES = Path(__file__).resolve().parent
# Heavy third-party folders that nothing of ours imports: the generated asyncio client of Kubernetes.
UNUSED = {"operator": ("kubernetes/aio",), "services": ()}
KEPT_BUILDS = 3
OUR_TAG = re.compile(rf"{re.escape(digest.VERSION)}-[0-9a-f]{{{digest.TAG_DIGITS}}}")


class SourcesChanged(Failure):
    """A source file changed while the sources were copied: the tag would not tell what is inside."""


@dataclass(frozen=True)
class Staged:
    """An image whose build context is complete."""

    image: Image
    folder: Path
    below: str
    inputs: str


def source_trees(name: str) -> dict[str, str]:
    """What of the working tree goes into the image: path in the build context → path in the repository."""
    trees = {"src": f"{name}/src"}
    if name == "operator":
        trees["charts/payment-platform"] = "charts/payment-platform"
    return trees


def outdated(tags: Sequence[str], current: str) -> list[str]:
    """Of an image's tags, newest first, our builds that may go: all but `current` and the newest few."""
    ours = [tag for tag in tags if OUR_TAG.fullmatch(tag) and tag != current]
    return ours[KEPT_BUILDS - 1 :]


def helm_binary(cache: Cache) -> Path:
    """The static helm that the operator renders with. Raises Failure when it is not built yet."""
    path = cache.bin / "helm"
    if not path.is_file():
        raise Failure(f"{path} is missing; build it with `python3 -m hack.kind tools`")
    return path


class OwnImages:
    """Makes our own images be there, built from the working tree as it is now."""

    def __init__(self, cache: Cache, python: str) -> None:
        self.cache = cache
        self.python = python
        self.log = cache.logs / "docker-build.log"

    def dependencies(self, name: str) -> str:
        """The image (by id) with Python and everything third-party, for one of our images to grow from."""
        with step(f"Dependencies of {name}") as current:
            python = docker.inspect(self.python)
            if python is None:
                raise Failure("the Python base image is missing; run `python3 -m hack.images build python`")
            requirements = REPOSITORY / name / "requirements.txt"
            packages = wheels.site_packages(self.cache, current, name, requirements, UNUSED[name])
            helm = helm_binary(self.cache) if name == "operator" else None
            dockerfile = DOCKERFILES / "dependencies.Dockerfile"
            parts = [
                python.id,
                packages.name,
                digest.of_file(dockerfile),
                digest.of_file(helm) if helm else "",
            ]
            inputs = digest.of_parts(parts)
            reference = f"payment-platform/{name}-dependencies:latest"
            present = docker.inspect(reference)
            if present is None or present.inputs != inputs:
                current.note("building the image below ours")
                with staging.context(self.cache, f"{name}-dependencies") as folder:
                    shutil.copyfile(dockerfile, folder / "Dockerfile")
                    staging.link_tree(packages, folder / "root" / "app" / "site-packages")
                    if helm is not None:
                        staging.link_file(helm, folder / "root" / "usr" / "local" / "bin" / "helm")
                    labels = {docker.LABEL_INPUTS: inputs}
                    present = docker.build(folder, reference, labels, {"PYTHON_IMAGE": self.python}, self.log)
            return present.id

    def ensure(self, images: Sequence[Image], below: Mapping[str, str]) -> None:
        """Builds the images unless they are there and made from the same inputs.

        `below` maps an image's name to the id of its dependencies' image. Raises SourcesChanged when somebody
        edits at the same time, Failure otherwise.
        """
        with ExitStack() as contexts:
            staged = [self._stage(contexts, image, below[image.name]) for image in images]
            if any(digest.own_tag(REPOSITORY) != image.tag for image in images):
                raise SourcesChanged("the sources changed while they were copied; run the same command again")
            for item in staged:
                self._build(item)

    def _stage(self, contexts: ExitStack, image: Image, below: str) -> Staged:
        folder = contexts.enter_context(staging.context(self.cache, image.name))
        shutil.copyfile(DOCKERFILES / f"{image.name}.Dockerfile", folder / "Dockerfile")
        for place, source in source_trees(image.name).items():
            staging.copy_sources(REPOSITORY / source, folder / place)
        return Staged(image, folder, below, digest.of_parts([below, digest.of_trees(folder, ["."])]))

    def _build(self, staged: Staged) -> None:
        image = staged.image
        with step(f"Image {image.reference}") as current:
            present = docker.inspect(image.reference)
            if present is not None and present.inputs == staged.inputs:
                current.done("unchanged")
                return
            labels = {docker.LABEL_VERSION: image.tag, docker.LABEL_INPUTS: staged.inputs}
            arguments = {"DEPENDENCIES_IMAGE": staged.below}
            docker.build(staged.folder, image.reference, labels, arguments, self.log)
            for tag in outdated(docker.tags(image.repository), image.tag):
                docker.discard(f"{image.repository}:{tag}")
            current.done("built")
