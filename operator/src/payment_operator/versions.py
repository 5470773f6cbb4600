"""The versions of the platform that this operator carries, and which may follow which.

A version is a pinned set: a chart, and the images that it names. The chart says itself from which minor
versions it may be reached, in the annotation ``paymentplatform.dev/upgrades-from`` of its Chart.yaml
("0.1, 0.2"); a higher patch of the same minor version always may. Order: SemVer 2.0.0 §11.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from payment_operator.errors import UnsupportedJump, UnsupportedVersion
from payment_operator.render import Renderer

Key = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...]]


class Versions:
    """The carried versions by name; ``default`` is for platforms that name none and have none yet."""

    def __init__(self, renderers: Iterable[Renderer], default: str) -> None:
        self._renderers = {renderer.version: renderer for renderer in renderers}
        self.default = default

    def __contains__(self, version: object) -> bool:
        return version in self._renderers

    @property
    def names(self) -> list[str]:
        """All of them, in their order."""
        return sorted(self._renderers, key=order)

    def renderer(self, version: str) -> Renderer:
        """The chart of a version. Raises UnsupportedVersion."""
        found = self._renderers.get(version)
        if found is None:
            text = f"spec.version: this operator carries {', '.join(self.names)}, not {version}"
            raise UnsupportedVersion(
                f"{text}: set one of them, or install an operator that carries {version}"
            )
        return found

    def rotates(self, version: str) -> tuple[str, ...]:
        """The passwords that may change while a version runs; none of one that is not carried."""
        found = self._renderers.get(version)
        return found.rotates if found else ()

    def wanted(self, named: str | None, installed: str | None) -> str:
        """What a platform is to be: what it names, else what it is, else the default."""
        return named or (installed if installed in self._renderers else None) or self.default

    def check(self, installed: str, wanted: str) -> None:
        """Whether the one may become the other. Raises UnsupportedVersion, UnsupportedJump."""
        renderer = self.renderer(wanted)
        if installed == wanted:
            return
        if order(wanted) < order(installed):
            text = f"spec.version: {installed} does not go back to {wanted}, for migrations only expand"
            raise UnsupportedJump(f"{text}: set spec.version to {installed}")
        if minor(installed) not in (minor(wanted), *renderer.upgrades_from):
            steps = [name for name in self.names if _between(installed, name, wanted)]
            way = f"go by {', '.join(steps)}" if steps else f"stay with {installed}"
            known = ", ".join(renderer.upgrades_from) or "no other minor version"
            raise UnsupportedJump(f"spec.version: {wanted} follows {known}, not {installed}: {way}")
        if installed not in self._renderers:
            text = (
                f"spec.version: this operator does not carry {installed}, so there would be no way back to it"
            )
            raise UnsupportedJump(f"{text}: install an operator that carries {installed} and {wanted}")


def order(version: str) -> Key:
    """A key to sort by: 0.2.0-rc.1 comes before 0.2.0."""
    core, _, pre = version.partition("+")[0].partition("-")
    numbers = tuple(int(part) for part in core.split("."))
    parts = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in pre.split(".")) if pre else ()
    return numbers, 0 if pre else 1, parts


def minor(version: str) -> str:
    """ "0.1" of "0.1.7"."""
    return ".".join(version.split("-")[0].split(".")[:2])


def charts(chart: Path, more: Path) -> list[Path]:
    """The operator's own chart and those in the folders of ``more``, one for each version."""
    others = [item.parent for item in sorted(more.glob("*/Chart.yaml"))] if more.is_dir() else []
    return [*others, chart]


def _between(low: str, version: str, high: str) -> bool:
    return order(low) < order(version) < order(high)
