"""Third-party images: pulled where a registry answers, else built as stand-ins from package registries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from hack.images import digest, docker, dockerfile, jars, programs, staging
from hack.images.catalog import RECIPES_FOLDER, Catalog, Image, Recipe
from hack.images.decision import Action, decide
from hack.images.rootfs import Builder, Layer, upstream_version
from hack.kind.proc import CommandFailed, Failure
from hack.kind.settings import Cache
from hack.progress import Step

BASE_REFERENCE = "payment-platform/standin-base"


@dataclass(frozen=True)
class Parts:
    """Everything a stand-in is put together from, and the hash over it."""

    layer: Layer
    base: docker.Present
    version: str
    files: Path | None
    jars: Path | None
    programs: dict[str, Path]
    inputs: str

    @property
    def has_files(self) -> bool:
        return self.files is not None or self.jars is not None or bool(self.programs)


def agrees(tag: str, version: str) -> bool:
    """Whether the tag names the version: `17.1`, `v17.1` do 17.1, `3.13-slim` does 3.13.5, not 17.12."""
    named = tag.removeprefix("v").partition("-")[0]
    return version == named or version.startswith(f"{named}.")


class StandIns:
    """Makes the third-party images of a catalog be there, one way or the other."""

    def __init__(self, cache: Cache, catalog: Catalog, layers: Builder, airgapped: bool) -> None:
        self.cache = cache
        self.catalog = catalog
        self.layers = layers
        self.airgapped = airgapped
        self.log = cache.logs / "docker-build.log"

    def ensure(self, current: Step, image: Image) -> None:
        """Keeps, pulls or builds one image. Raises Failure."""
        recipe = image.recipe
        if recipe is None:
            raise ValueError(f"{image.name} is our own image")
        present = docker.inspect(image.reference)
        action = decide(present, self.airgapped, "")
        if action is Action.KEEP:
            current.done("public image, there already")
        elif action is Action.PULL:
            self._pull(current, image)
        else:
            parts = self._parts(current, image.name, recipe)
            if decide(present, self.airgapped, parts.inputs) is Action.KEEP:
                current.done(f"stand-in {parts.version}, unchanged")
            else:
                self._build(current, image, recipe, parts)

    def _pull(self, current: Step, image: Image) -> None:
        current.note(f"docker pull {image.reference}")
        try:
            docker.pull(image.reference, self.log)
        except CommandFailed as error:
            hint = "PAYMENTS_AIRGAPPED=1 builds a stand-in instead"
            raise Failure(f"cannot pull {image.reference} ({hint}):\n{error.output}") from None
        current.done("pulled")

    def _parts(self, current: Step, name: str, recipe: Recipe) -> Parts:
        base = self._base(current)
        layer = self.layers.layer(current, name, recipe)
        files = RECIPES_FOLDER / recipe.files if recipe.files else None
        jar_folder = (
            jars.fetch(self.cache, current, name, RECIPES_FOLDER / recipe.jars) if recipe.jars else None
        )
        built = programs.ensure(self.cache, recipe.programs)
        version = recipe.version or upstream_version(layer.packages[recipe.version_of])
        sources = [layer.digest, base.id, version, recipe.title]
        if files is not None:
            sources.append(digest.of_trees(files, ["."]))
        if jar_folder is not None:
            sources.append((RECIPES_FOLDER / recipe.jars / jars.LOCK_NAME).read_text())
        sources += [f"{place} {digest.of_file(program)}" for place, program in sorted(built.items())]
        parts = Parts(layer, base, version, files, jar_folder, built, "")
        text = dockerfile.render(recipe, base.id, parts.has_files)
        return replace(parts, inputs=digest.of_parts([text, *sources]))

    def _base(self, current: Step) -> docker.Present:
        layer = self.layers.base(current)
        reference = f"{BASE_REFERENCE}:{self.catalog.debian.suite}"
        present = docker.inspect(reference)
        inputs = digest.of_parts([dockerfile.render_base(), layer.digest])
        if present is not None and present.inputs == inputs:
            return present
        current.note(f"base layer {reference}")
        with staging.context(self.cache, "base") as folder:
            (folder / "Dockerfile").write_text(dockerfile.render_base())
            staging.link_file(layer.tar, folder / dockerfile.ROOT_TAR)
            labels = {docker.LABEL_INPUTS: inputs, docker.LABEL_STANDIN: "true"}
            return docker.build(folder, reference, labels, {}, self.log)

    def _build(self, current: Step, image: Image, recipe: Recipe, parts: Parts) -> None:
        with staging.context(self.cache, image.name) as folder:
            (folder / "Dockerfile").write_text(dockerfile.render(recipe, parts.base.id, parts.has_files))
            staging.link_file(parts.layer.tar, folder / dockerfile.ROOT_TAR)
            if parts.files is not None:
                staging.copy_sources(parts.files, folder / dockerfile.FILES_FOLDER)
            if parts.jars is not None:
                staging.link_tree(parts.jars, folder / dockerfile.FILES_FOLDER / recipe.jars_folder)
            for place, program in parts.programs.items():
                staging.link_file(program, folder / dockerfile.FILES_FOLDER / place)
            labels = {
                docker.LABEL_TITLE: f"{recipe.title} (air-gapped stand-in)",
                docker.LABEL_VERSION: parts.version,
                docker.LABEL_STANDIN: "true",
                docker.LABEL_INPUTS: parts.inputs,
            }
            docker.build(folder, image.reference, labels, {}, self.log)
        if not agrees(image.tag, parts.version):
            current.note(f"{image.reference} is really {parts.version}: that is what Debian has today")
        current.done(f"stand-in {parts.version} built")
