"""Root file systems from Debian packages, as layers: a base that all stand-ins share, one layer for each."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hack.images import digest, layers, mirror
from hack.images.catalog import Account, Debian, Recipe
from hack.kind import debian as machine
from hack.kind.proc import Failure, run
from hack.kind.settings import Cache
from hack.progress import Step

BOOTSTRAP_SECONDS = 1200
# Grows when this module makes something else of the same recipe.
FORMAT = "1"
TOOLS = {
    "mmdebstrap": "mmdebstrap",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}


@dataclass(frozen=True)
class Layer:
    """A layer in the cache: its tar, and the Debian packages (name → version) of the root it completes."""

    tar: Path
    digest: str
    packages: dict[str, str]


def installed_packages(status: str) -> dict[str, str]:
    """Name → version from the text of dpkg's status file."""
    found = {}
    for stanza in status.split("\n\n"):
        values = dict(
            line.split(": ", 1) for line in stanza.splitlines() if line.startswith(("Package: ", "Version: "))
        )
        if len(values) == 2:
            found[values["Package"]] = values["Version"]
    return found


def upstream_version(version: str) -> str:
    """The upstream part of a Debian version: `5:8.0.2-3+deb13u2` → `8.0.2`, `1.2~rc1+dfsg-1` → `1.2~rc1`."""
    plain = version.partition(":")[2] or version
    return plain.rpartition("-")[0].partition("+")[0] if "-" in plain else plain.partition("+")[0]


def account_lines(account: Account) -> list[str]:
    """Shell lines, run in a root's folder, that make the user and its group; no password can open it."""
    passwd = f"{account.name}:x:{account.id}:{account.id}::{account.home}:/bin/sh"
    return [
        f"echo {shlex.quote(passwd)} >> etc/passwd",
        f"echo {shlex.quote(f'{account.name}:x:{account.id}:')} >> etc/group",
        f"echo {shlex.quote(f'{account.name}:*:20000:0:99999:7:::')} >> etc/shadow",
    ]


def script(lines: Iterable[str]) -> str:
    """A hook of mmdebstrap: it is called with the new root's folder."""
    return "\n".join(["#!/bin/sh", "set -eu", 'cd "$1"', *lines, ""])


@dataclass(frozen=True)
class Plan:
    """What a layer is made from. `base` is the digest of the layer below, "" for the base itself."""

    name: str
    packages: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    drop: tuple[str, ...]
    base: str

    def key(self, suite: str) -> str:
        """Changes with anything that changes the layer, newer packages of the same names aside."""
        lists = [json.dumps(part) for part in (self.packages, self.before, self.after, self.drop)]
        return digest.of_parts([FORMAT, suite, self.base, *lists])[:16]


class Builder:
    """Builds layers below `cache.rootfs`; what is there already and made from the same recipe is used again.

    With `refresh`, each layer is built once more in this run, from today's packages.
    """

    def __init__(self, cache: Cache, debian: Debian, chosen_mirror: str, refresh: bool) -> None:
        self.folder = cache.rootfs
        self.cache = cache
        self.debian = debian
        self.chosen_mirror = chosen_mirror
        self.refresh = refresh
        # The base before anything is left out: what the other layers are grown from.
        self.full_base = self.folder / ".debian-full.tar"
        self._made: dict[str, Layer] = {}

    def base(self, current: Step) -> Layer:
        """The layer below all others. Raises Failure."""
        return self._layer(current, Plan("debian", self.debian.packages, (), (), self.debian.drop, ""))

    def layer(self, current: Step, name: str, recipe: Recipe) -> Layer:
        """The layer of one stand-in, to lie on the base. Raises Failure."""
        below = self.base(current)
        accounts = tuple(line for account in recipe.accounts for line in account_lines(account))
        drop = (*self.debian.drop, *recipe.drop)
        return self._layer(
            current,
            Plan(name, recipe.packages, (*accounts, *recipe.before), recipe.after, drop, below.digest),
        )

    def _layer(self, current: Step, plan: Plan) -> Layer:
        if plan.name in self._made:
            return self._made[plan.name]
        stem = f"{plan.name}-{plan.key(self.debian.suite)}"
        tar, facts = self.folder / f"{stem}.tar", self.folder / f"{stem}.json"
        whole = facts.exists() and tar.exists() and (plan.base or self.full_base.exists())
        if self.refresh or not whole:
            self._build(current, plan, tar, facts)
        self._made[plan.name] = Layer(tar, **json.loads(facts.read_text()))
        return self._made[plan.name]

    def _build(self, current: Step, plan: Plan, tar: Path, facts: Path) -> None:
        machine.install(self.cache, current, TOOLS)
        self.folder.mkdir(parents=True, exist_ok=True)
        current.note(f"Debian {self.debian.suite}: {' '.join(plan.packages) or 'no packages'}")
        full, unfinished = (self.folder / f".{plan.name}-{part}.tar" for part in ("new", "layer"))
        began = time.time()
        self._bootstrap(plan, full)
        base_index = layers.read_index(self.full_base) if plan.base else {}
        layers.write_layer(full, unfinished, base_index, plan.drop, began)
        packages = installed_packages(layers.read_text(full, "var/lib/dpkg/status"))
        # From here on it is quick: a killed run leaves the old layer or the new one.
        for old in self.folder.glob(f"{plan.name}-*"):
            old.unlink()
        if not plan.base:
            # With its own times fixed, or every layer grown from it would have other ones.
            layers.write_layer(full, self.full_base, {}, (), began)
        full.unlink()
        unfinished.replace(tar)
        # The facts come last: without them the layer counts as missing.
        partial = facts.with_suffix(".partial")
        partial.write_text(json.dumps({"digest": digest.of_file(tar), "packages": packages}, indent=1))
        partial.replace(facts)

    def _bootstrap(self, plan: Plan, full: Path) -> None:
        try:
            sources = mirror.find(self.debian.suite, self.chosen_mirror)
        except mirror.MirrorError as error:
            raise Failure(str(error)) from None
        before = plan.before
        if plan.base:
            before = (f"tar -xf {shlex.quote(str(self.full_base))}", *before)
        variant = "custom" if plan.base else "essential"
        # nice: the machine may run a cluster at the same time.
        command = ["nice", "mmdebstrap", f"--variant={variant}"]
        if plan.packages:
            command.append(f"--include={','.join(plan.packages)}")
        for hook, lines in (("setup", before), ("customize", plan.after)):
            path = self.folder / f".{plan.name}-{hook}.sh"
            path.write_text(script(lines))
            path.chmod(0o755)
            command.append(f"--{hook}-hook={path}")
        command += ["--skip=output/dev", self.debian.suite, str(full), *sources]
        run(command, timeout=BOOTSTRAP_SECONDS, log=self.cache.logs / "mmdebstrap.log")
