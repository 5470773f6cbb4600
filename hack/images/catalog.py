"""The catalog: names and tags from the chart's images.json, recipes of the stand-ins from catalog.toml.

Images that no chart runs have their name and tag in their recipe, and are built only when asked for, by their
own name or their group's.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

OWN = ("operator", "services")
REPOSITORY = Path(__file__).resolve().parents[2]
NAMES_FILE = REPOSITORY / "charts" / "payment-platform" / "files" / "images.json"
RECIPES_FILE = Path(__file__).resolve().parent / "catalog.toml"
RECIPES_FOLDER = RECIPES_FILE.parent
_PINNED = re.compile(r"[a-z0-9][a-z0-9._/-]*:(?!latest$)[A-Za-z0-9._-]+")


class CatalogError(ValueError):
    """images.json or catalog.toml is wrong; the message names the file, the entry and the fix."""


@dataclass(frozen=True)
class Account:
    """A user and its group, both with the number `id`."""

    name: str
    id: int
    home: str


@dataclass(frozen=True)
class Debian:
    """What all stand-ins share: the suite, the packages of the base layer, what every layer leaves out."""

    suite: str
    packages: tuple[str, ...]
    drop: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """How to build one stand-in; see the head of catalog.toml for the keys."""

    title: str
    packages: tuple[str, ...] = ()
    version_of: str = ""
    version: str = ""
    build_only: bool = False
    reference: str = ""
    on_request: str = ""
    accounts: tuple[Account, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    files: str = ""
    jars: str = ""
    jars_folder: str = ""
    programs: Mapping[str, str] = field(default_factory=dict)
    finish: tuple[str, ...] = ()
    user: str = ""
    ports: tuple[int, ...] = ()
    volumes: tuple[str, ...] = ()
    workdir: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    stop_signal: str = ""


@dataclass(frozen=True)
class Image:
    """One entry of the catalog. `recipe` is None for our own images, whose `tag` is the content tag."""

    name: str
    repository: str
    tag: str
    recipe: Recipe | None

    @property
    def reference(self) -> str:
        return f"{self.repository}:{self.tag}"

    @property
    def build_only(self) -> bool:
        """Whether no pod ever runs it."""
        return self.recipe is not None and self.recipe.build_only

    @property
    def group(self) -> str:
        """The group of an image that is left out unless it is asked for; "" for those that always belong."""
        return self.recipe.on_request if self.recipe is not None else ""


@dataclass(frozen=True)
class Catalog:
    debian: Debian
    images: Mapping[str, Image]

    def select(self, names: list[str]) -> list[Image]:
        """The images of these names and groups, each after those it is built from. Raises CatalogError.

        Without names: all but those that are built on request only.
        """
        groups = {image.group for image in self.images.values() if image.group}
        if unknown := [name for name in names if name not in self.images and name not in groups]:
            raise CatalogError(
                f"no image {', '.join(unknown)} in the catalog; there are: {', '.join(self.images)} "
                f"and the groups: {', '.join(sorted(groups))}"
            )
        asked = set(names) or {""}
        wanted = {name for name, image in self.images.items() if name in asked or image.group in asked}
        if wanted & set(OWN):
            wanted.add("python")
        order = [name for name in self.images if name not in OWN] + list(OWN)
        return [self.images[name] for name in order if name in wanted]

    def references(self, names: list[str]) -> dict[str, str]:
        """Name → reference of the images that pods run, among those of `select`. Raises CatalogError."""
        wanted = {image.name: image for image in self.select(names) if not image.build_only}
        return {name: wanted[name].reference for name in self.images if name in wanted}


def parse_names(text: str, own_tag: str) -> dict[str, tuple[str, str]]:
    """images.json as name → (repository, tag); our own images get `own_tag`. Raises CatalogError.

    Without those that are `public` only: no package registry has what a stand-in would be made of.
    """
    where = "charts/payment-platform/files/images.json"
    try:
        document = json.loads(text)
    except ValueError as error:
        raise CatalogError(f"{where} is not JSON: {error}") from None
    found: dict[str, tuple[str, str]] = {}
    for name, entry in document.items():
        repository = entry.get("repository", "") if isinstance(entry, dict) else ""
        if not repository:
            raise CatalogError(f'{where}: {name} needs a "repository"')
        if isinstance(entry, dict) and entry.get("public") is True:
            continue
        tag = own_tag if name in OWN else entry.get("tag", "")
        if not tag or tag == "latest":
            raise CatalogError(f'{where}: {name} needs a pinned "tag", for example "1.2.3"')
        found[name] = (repository, tag)
    if missing := [name for name in (*OWN, "python") if name not in found]:
        raise CatalogError(f"{where}: no entry for {', '.join(missing)}")
    return found


def parse_recipes(text: str) -> tuple[Debian, dict[str, Recipe]]:
    """catalog.toml as its shared part and name → recipe. Raises CatalogError."""
    try:
        document = tomllib.loads(text)
        debian = Debian(**{key: _frozen(value) for key, value in document["debian"].items()})
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise CatalogError(f"hack/images/catalog.toml, [debian]: {error}") from None
    return debian, {name: _recipe(name, entry) for name, entry in document.get("image", {}).items()}


def _recipe(name: str, entry: Mapping[str, Any]) -> Recipe:
    known = {item.name for item in fields(Recipe)}
    if unknown := sorted(set(entry) - known):
        raise CatalogError(f"hack/images/catalog.toml, [image.{name}]: unknown key {', '.join(unknown)}")
    values = {key: _frozen(value) for key, value in entry.items()}
    try:
        values["accounts"] = tuple(Account(**account) for account in entry.get("accounts", []))
        recipe = Recipe(**values)
    except TypeError as error:
        raise CatalogError(f"hack/images/catalog.toml, [image.{name}]: {error}") from None
    for wrong, said in (
        (bool(recipe.version) == bool(recipe.version_of), "give either version or version_of"),
        (bool(recipe.jars) != bool(recipe.jars_folder), "jars and jars_folder belong together"),
        (bool(recipe.reference) and not recipe.on_request, "reference needs on_request"),
        (bool(recipe.reference) and not _PINNED.fullmatch(recipe.reference), 'reference is as "a/b:1.2.3"'),
    ):
        if wrong:
            raise CatalogError(f"hack/images/catalog.toml, [image.{name}]: {said}")
    return recipe


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def build_catalog(names_text: str, recipes_text: str, own_tag: str) -> Catalog:
    """Joins both files: a recipe for each third-party image, and none beyond but those with a reference.

    Raises CatalogError.
    """
    names = parse_names(names_text, own_tag)
    debian, recipes = parse_recipes(recipes_text)
    third_party = set(names) - set(OWN)
    if different := third_party ^ {name for name, recipe in recipes.items() if not recipe.reference}:
        raise CatalogError(
            f"{', '.join(sorted(different))}: only in one of images.json and hack/images/catalog.toml"
        )
    images = {
        name: Image(name, repository, tag, recipes.get(name)) for name, (repository, tag) in names.items()
    }
    for name, recipe in recipes.items():
        if recipe.reference:
            repository, _, tag = recipe.reference.rpartition(":")
            images[name] = Image(name, repository, tag, recipe)
    return Catalog(debian, images)


def load(own_tag: str) -> Catalog:
    """The catalog of this working tree. Raises CatalogError."""
    return build_catalog(NAMES_FILE.read_text(), RECIPES_FILE.read_text(), own_tag)
