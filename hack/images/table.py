"""The table of `list`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from hack.images.catalog import Image
from hack.images.docker import LABEL_VERSION, Present


@dataclass(frozen=True)
class Row:
    """One line of the table; `size` in MB, shared layers included."""

    name: str
    reference: str
    present: str
    kind: str
    version: str
    size: str

    @classmethod
    def of(cls, image: Image, present: Present | None) -> Row:
        if present is None:
            return cls(image.name, image.reference, "no", "-", "-", "-")
        kind = "own" if image.recipe is None else "stand-in" if present.is_standin else "public"
        version = present.labels.get(LABEL_VERSION, "-")
        return cls(image.name, image.reference, "yes", kind, version, f"{present.size / 1e6:.0f} MB")


def render_table(rows: Sequence[Row]) -> str:
    """Aligned columns under a heading."""
    lines = [("NAME", "REFERENCE", "PRESENT", "KIND", "VERSION", "SIZE"), *(astuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )
    return "\n".join(line.rstrip() for line in padded)
