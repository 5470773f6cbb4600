"""When to look at a platform again. Pure."""

from __future__ import annotations

from payment_operator.readiness import unready
from payment_operator.view import View

#: Seconds: after a write, while a rollout waits, while something is not as it should be or runs elsewhere.
SOON, WAITING, LATER = 1.0, 4.0, 15.0


def again(view: View) -> float | None:
    """Seconds until the next look, None for the next full pass."""
    if view.problem is not None:
        return None if view.problem.final else LATER
    if view.refused or view.plan.conflicts:
        return LATER
    if (view.plan.apply or view.plan.prune) and not view.paused:
        return SOON
    if view.plan.waits:
        return WAITING
    healthy = view.complete and all(unready(item) is None for item in view.observed.live.values())
    return None if healthy and not view.external else LATER
