"""Our own two images, from the sources of this working tree and their hash-locked dependencies."""

from __future__ import annotations

import shutil
from pathlib import Path

from hack.images import digest, docker, staging, wheels
from hack.images.catalog import REPOSITORY, Catalog, Image
from hack.kind.proc import Failure
from hack.kind.settings import Cache
from hack.progress import Step

TITLES = {"operator": "Payment platform operator", "services": "Payment platform services"}
DOCKERFILES = Path(__file__).resolve().parent


def helm_binary(cache: Cache) -> Path:
    """The static helm that the operator renders with. Raises Failure when it is not built yet."""
    path = cache.bin / "helm"
    if not path.is_file():
        raise Failure(f"{path} is missing; build it with `python3 -m hack.kind tools`")
    return path


def source_trees(name: str) -> dict[str, str]:
    """What of the working tree goes into the image: path in the build context → path in the repository."""
    trees = {"src": f"{name}/src"}
    if name == "operator":
        trees["charts/payment-platform"] = "charts/payment-platform"
    return trees


def ensure(cache: Cache, current: Step, catalog: Catalog, image: Image) -> None:
    """Builds the image unless it is there and made from the same inputs. Raises Failure."""
    python = docker.inspect(catalog.images["python"].reference)
    if python is None:
        raise Failure("the Python base image is missing; run `python3 -m hack.images build python`")
    packages = wheels.site_packages(cache, current, image.name, REPOSITORY / image.name / "requirements.txt")
    helm = helm_binary(cache) if image.name == "operator" else None
    trees = source_trees(image.name)
    dockerfile = DOCKERFILES / f"{image.name}.Dockerfile"
    sources = [
        python.id,
        packages.name,
        dockerfile.read_text(),
        digest.of_trees(REPOSITORY, sorted(trees.values())),
    ]
    if helm is not None:
        sources.append(digest.of_file(helm))
    inputs = digest.of_parts(sources)
    present = docker.inspect(image.reference)
    if present is not None and present.inputs == inputs:
        current.done("unchanged")
        return
    with staging.context(cache, image.name) as folder:
        shutil.copyfile(dockerfile, folder / "Dockerfile")
        staging.link_tree(packages, folder / "site-packages")
        for place, source in trees.items():
            staging.copy_sources(REPOSITORY / source, folder / place)
        if helm is not None:
            staging.link_file(helm, folder / "helm")
        labels = {
            docker.LABEL_TITLE: TITLES[image.name],
            docker.LABEL_VERSION: image.tag,
            docker.LABEL_INPUTS: inputs,
        }
        arguments = {"PYTHON_IMAGE": catalog.images["python"].reference}
        docker.build(folder, image.reference, labels, arguments, cache.logs / "docker-build.log")
    current.done("built")
