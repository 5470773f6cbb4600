"""What to do for a third-party image."""

from __future__ import annotations

import enum

from hack.images.docker import Present


class Action(enum.Enum):
    KEEP = "keep"
    PULL = "pull"
    BUILD = "build"


def decide(present: Present | None, airgapped: bool, inputs: str) -> Action:
    """Public images win where they can be had and stay where they are; a changed stand-in is built anew.

    `inputs` is the hash of what the stand-in would be made from now (unused when a registry answers).
    """
    if present is not None and not present.is_standin:
        return Action.KEEP
    if not airgapped:
        return Action.PULL
    return Action.KEEP if present is not None and present.inputs == inputs else Action.BUILD
