"""The command line of the images: build, list, tag, refs, check, lock."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hack.images import catalog as catalogs
from hack.images import check as contract
from hack.images import digest, docker, jars, programs
from hack.images.catalog import OWN, REPOSITORY, Catalog, CatalogError
from hack.images.own import OwnImages, SourcesChanged
from hack.images.rootfs import Builder
from hack.images.standins import StandIns
from hack.images.table import Row, render_table
from hack.kind.locks import locked
from hack.kind.proc import Failure, interrupt_on_term
from hack.kind.registry import use_registry
from hack.kind.settings import Settings, SettingsError, read_settings
from hack.progress import say, step

ATTEMPTS = 3

DESCRIPTION = """\
Images of the payment platform: two of its own (operator, services) and the third-party ones of its catalog.

Where an image registry answers, third-party images are pulled. Elsewhere stand-ins for them are built from
package registries (Debian, Maven, Go); they keep the public images' names, users, ports and paths.

environment:
  PAYMENTS_AIRGAPPED      1: build stand-ins, 0: pull, empty: ask the registry
  PAYMENTS_CACHE          folder of everything kept between runs (default ~/.cache/payment-platform)
  PAYMENTS_DEBIAN_MIRROR  Debian mirror for the stand-ins (default: the machine's own apt sources)
"""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python3 -m hack.images",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    build = commands.add_parser(
        "build", help="pull or build images, the usual or the named ones; unchanged ones stay"
    )
    named = "as `list` shows them, or a group's name; all but those on request when left out"
    build.add_argument("names", nargs="*", metavar="NAME", help=named)
    build.add_argument(
        "--refresh", action="store_true", help="build stand-ins anew, from today's Debian packages"
    )
    commands.add_parser("list", help="a table: name, reference, present?, stand-in?, version, size")
    commands.add_parser("tag", help="print the content tag of our own images")
    refs = commands.add_parser("refs", help="print the references of the images that pods run, as JSON")
    refs.add_argument("names", nargs="*", metavar="NAME", help=named)
    check = commands.add_parser("check", help="run each image as a pod would be and try its contract")
    check.add_argument("names", nargs="*", metavar="NAME", help=named)
    commands.add_parser("lock", help="write the jars' hashes anew after a change of a pom.xml")
    return top


def build(settings: Settings, catalog: Catalog, names: list[str], refresh: bool, chosen_mirror: str) -> None:
    """Makes the named images (the usual ones if none is named) be there. Raises Failure, CatalogError."""
    wanted = catalog.select(names)
    docker.ensure_engine()
    with step("Image registry") as current:
        pulls = use_registry(settings, catalog.images["python"].reference, current)
        current.done("public images are pulled" if pulls else "stand-ins are built")
    if not pulls:
        # Compiling takes minutes: before the lock that everybody's builds wait for.
        for image in wanted:
            programs.ensure(settings.cache, image.recipe.programs if image.recipe is not None else {})
    with locked(settings.cache, "images"):
        layers = Builder(settings.cache, catalog.debian, chosen_mirror, refresh)
        third_party = StandIns(settings.cache, catalog, layers, airgapped=not pulls)
        for image in wanted:
            if image.name not in OWN:
                with step(f"Image {image.reference}") as current:
                    third_party.ensure(current, image)
        if own := [image.name for image in wanted if image.name in OWN]:
            build_own(settings, own, catalog.images["python"].reference)
        docker.prune()


def build_own(settings: Settings, names: list[str], python: str) -> None:
    """Our own images under the tag of the sources as they are now; starts over when one is edited."""
    builder = OwnImages(settings.cache, python)
    below = {name: builder.dependencies(name) for name in names}
    for attempt in range(1, ATTEMPTS + 1):
        catalog = catalogs.load(digest.own_tag(REPOSITORY))
        try:
            builder.ensure([catalog.images[name] for name in names], below)
            return
        except SourcesChanged:
            if attempt == ATTEMPTS:
                raise
            say("the sources changed while they were copied; copying them again")


def rows(catalog: Catalog) -> list[Row]:
    """One row for each image of the catalog, as the engine has it now."""
    docker.ensure_engine()
    return [Row.of(image, docker.inspect(image.reference)) for image in catalog.images.values()]


def check(catalog: Catalog, names: list[str]) -> None:
    """Tries the contract of the named images, or of the usual ones. Raises Failure, CatalogError."""
    asked = {*names}
    wanted = [image for image in catalog.select(names) if not asked or asked & {image.name, image.group}]
    docker.ensure_engine()
    for image in wanted:
        with step(f"Contract of {image.reference}") as current:
            contract.check(current, image)


def lock(settings: Settings, catalog: Catalog) -> None:
    """Writes the lock of every recipe that takes jars. Raises Failure."""
    for name, image in catalog.images.items():
        if image.recipe is not None and image.recipe.jars:
            with step(f"Lock of the jars of {name}") as current:
                count = jars.write_lock(settings.cache, name, catalogs.RECIPES_FOLDER / image.recipe.jars)
                current.done(f"{count} jars")


def run(arguments: argparse.Namespace, settings: Settings, chosen_mirror: str) -> None:
    """Runs one command; results go to stdout, progress to stderr. Raises Failure, CatalogError."""
    tag = digest.own_tag(REPOSITORY)
    catalog = catalogs.load(tag)
    match arguments.command:
        case "build":
            build(settings, catalog, arguments.names, arguments.refresh, chosen_mirror)
        case "list":
            print(render_table(rows(catalog)))
        case "tag":
            print(tag)
        case "refs":
            print(json.dumps(catalog.references(arguments.names), indent=2))
        case "check":
            check(catalog, arguments.names)
        case "lock":
            lock(settings, catalog)


def main(words: Sequence[str]) -> int:
    """Exit code 0 on success, 1 on failure, 2 on wrong usage, 130 when interrupted."""
    arguments = parser().parse_args(words)
    interrupt_on_term()
    try:
        settings = read_settings(os.environ, Path.home())
        run(arguments, settings, os.environ.get("PAYMENTS_DEBIAN_MIRROR", ""))
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (Failure, CatalogError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except FileNotFoundError as error:
        print(f"error: {error.filename or error} is missing; is this working tree complete?", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("interrupted; run the same command again to go on")
        return 130
    return 0
