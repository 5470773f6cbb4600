"""Whether an image registry can be reached from here. Finding out takes seconds at most."""

from __future__ import annotations

from hack.kind.proc import CommandFailed, run
from hack.kind.settings import Settings
from hack.progress import Step

PROBE_SECONDS = 8.0


def answers(image: str) -> bool:
    """Whether the image's registry gives out its manifest."""
    try:
        result = run(["docker", "manifest", "inspect", image], timeout=PROBE_SECONDS, check=False)
    except CommandFailed:
        return False
    return result.returncode == 0


def use_registry(settings: Settings, image: str, current: Step) -> bool:
    """What PAYMENTS_AIRGAPPED says, else what the registry does."""
    if settings.airgapped is not None:
        current.note(f"PAYMENTS_AIRGAPPED={int(settings.airgapped)}: not asking whether a registry answers")
        return not settings.airgapped
    found = answers(image)
    current.note(
        "the image registry answers" if found else "no image registry answers: building from packages"
    )
    return found
