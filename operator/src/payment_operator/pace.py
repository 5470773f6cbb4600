"""When to look at a platform again. Pure."""

from __future__ import annotations

from payment_operator.readiness import unready
from payment_operator.scaling import targets
from payment_operator.turns import turns
from payment_operator.view import View

#: Seconds: after a write, while a rollout waits, while something is not as it should be or runs elsewhere.
SOON, WAITING, LATER = 1.0, 4.0, 15.0
FAR = 60.0
#: Where the floor of an autoscaler follows what waits.
HALF_MINUTE = 30.0


def again(view: View) -> float | None:
    """Seconds until the next look, None for the next full pass."""
    if view.upgrading and not view.paused:
        return SOON if _wrote(view) else WAITING
    if view.problem is not None:
        return None if view.problem.final else LATER
    if view.refused or view.plan.conflicts:
        return LATER
    if (view.plan.apply or view.plan.prune) and not view.paused:
        return SOON if _wrote(view) else WAITING
    if view.resizes:
        return SOON
    if view.plan.waits:
        return WAITING
    healthy = view.complete and all(unready(item) is None for item in view.observed.live.values())
    calm = HALF_MINUTE if targets(view.spec) else None
    return _rotation(view, calm if healthy and not view.external else LATER)


def _wrote(view: View) -> bool:
    """Whether this look changed anything; it did not when all that is to change waits for its turn."""
    return bool(view.plan.prune or turns(view.plan.apply, view.observed.live))


def _rotation(view: View, otherwise: float | None) -> float | None:
    """Not later than the next step of a rotation; one that is far away is for a full pass to find."""
    due = min((item.due for item in view.rotations if item.due is not None), default=None)
    seconds = None if due is None else max(SOON, (due - view.now).total_seconds())
    if seconds is None or seconds > FAR:
        return otherwise
    return seconds if otherwise is None else min(seconds, otherwise)
