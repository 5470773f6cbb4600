"""Settings of the local cluster, read once from environment and command line, and the one cache folder.

| variable | meaning | default |
|---|---|---|
| PAYMENTS_CACHE | keeps everything between runs | `${XDG_CACHE_HOME:-~/.cache}/payment-platform` |
| PAYMENTS_AIRGAPPED | 1: never ask an image registry; 0: always pull; empty: find out | empty |
| NODES | nodes of the cluster, the first is the control plane | as the cluster that runs has, else 1 |
| PORT_OFFSET | added to every port on localhost | as the cluster that runs has, else 0 |
| PAYMENTS_CLUSTER | name of the kind cluster | payments |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_NODES = 9
DEFAULT_CLUSTER = "payments"
# kind derives host names from the cluster's name, so the rules of DNS labels hold.
_CLUSTER_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")


class SettingsError(ValueError):
    """A setting has no sensible value; the message names it and the fix."""


@dataclass(frozen=True)
class Cache:
    """Paths below PAYMENTS_CACHE; nothing is created by asking for one."""

    root: Path

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    @property
    def stamps(self) -> Path:
        return self.root / "bin" / ".stamps"

    @property
    def images(self) -> Path:
        return self.root / "images"

    @property
    def rootfs(self) -> Path:
        return self.root / "rootfs"

    @property
    def docker(self) -> Path:
        return self.root / "docker"

    @property
    def kind(self) -> Path:
        return self.root / "kind"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def work(self) -> Path:
        """Scratch space; whatever a killed run left here is removed by the next one."""
        return self.root / "work"


@dataclass(frozen=True)
class Settings:
    cache: Cache
    cluster: str = DEFAULT_CLUSTER
    # None: not asked for.
    nodes: int | None = None
    port_offset: int | None = None
    airgapped: bool | None = None

    @property
    def context(self) -> str:
        """The context of the cluster in the user's kubeconfig."""
        return f"kind-{self.cluster}"

    @property
    def control_plane(self) -> str:
        """The container of the (only) control-plane node."""
        return f"{self.cluster}-control-plane"


def _integer(name: str, text: str, lowest: int, highest: int) -> int | None:
    if text == "":
        return None
    try:
        value = int(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}: give a whole number from {lowest} to {highest}") from None
    if not lowest <= value <= highest:
        raise SettingsError(f"{name} is {value}: give a whole number from {lowest} to {highest}")
    return value


def _airgapped(text: str) -> bool | None:
    if text == "":
        return None
    if text in ("0", "1"):
        return text == "1"
    raise SettingsError(f"PAYMENTS_AIRGAPPED is {text!r}: give 1 (no registry), 0 (pull) or leave it empty")


def cache_root(environment: Mapping[str, str], home: Path) -> Path:
    if chosen := environment.get("PAYMENTS_CACHE"):
        return Path(chosen).expanduser().absolute()
    base = environment.get("XDG_CACHE_HOME")
    return (Path(base) if base else home / ".cache") / "payment-platform"


def read_settings(
    environment: Mapping[str, str],
    home: Path,
    *,
    cluster: str | None = None,
    nodes: str | None = None,
    port_offset: str | None = None,
) -> Settings:
    """Settings from the environment; what the command line gave wins. Raises SettingsError."""
    name = cluster or environment.get("PAYMENTS_CLUSTER") or DEFAULT_CLUSTER
    if not _CLUSTER_NAME.fullmatch(name):
        raise SettingsError(f"the cluster's name is {name!r}: use at most 32 of a-z, 0-9 and '-'")
    return Settings(
        cache=Cache(cache_root(environment, home)),
        cluster=name,
        nodes=_integer("NODES", nodes or environment.get("NODES", ""), 1, MAX_NODES),
        port_offset=_integer("PORT_OFFSET", port_offset or environment.get("PORT_OFFSET", ""), 0, 30000),
        airgapped=_airgapped(environment.get("PAYMENTS_AIRGAPPED", "")),
    )
