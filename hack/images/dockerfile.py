"""Dockerfiles of the stand-ins, from their recipes."""

from __future__ import annotations

import json
import re

from hack.images.catalog import Recipe

ROOT_TAR = "root.tar"
FILES_FOLDER = "files"
_PLAIN = re.compile(r"[A-Za-z0-9_./:,@%+=-]+")


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value)


def render_base() -> str:
    """The image that all stand-ins grow from."""
    return f"FROM scratch\nADD {ROOT_TAR} /\n"


def render(recipe: Recipe, base: str, has_files: bool) -> str:
    """The recipe's layer (and files, if any) on `base`, with the public image's contract."""
    lines = [f"FROM {base}", f"ADD {ROOT_TAR} /"]
    if has_files:
        lines.append(f"COPY {FILES_FOLDER}/ /")
    lines += [f"ENV {name}={_quoted(value)}" for name, value in sorted(recipe.environment.items())]
    lines += [f"RUN {line}" for line in recipe.finish]
    lines += [f"EXPOSE {port}" for port in recipe.ports]
    if recipe.volumes:
        lines.append(f"VOLUME {json.dumps(list(recipe.volumes))}")
    if recipe.workdir:
        lines.append(f"WORKDIR {recipe.workdir}")
    if recipe.user:
        lines.append(f"USER {recipe.user}")
    if recipe.stop_signal:
        lines.append(f"STOPSIGNAL {recipe.stop_signal}")
    if recipe.command:
        lines.append(f"CMD {json.dumps(list(recipe.command))}")
    return "\n".join(lines) + "\n"
